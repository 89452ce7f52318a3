// Mutation testing: changes one expression in src/ at a time and checks that a test fails. Uses a temporary worktree of
// HEAD.
//   node scripts/mutate.mjs [--count 150] [--seed 1] [--only src/run/]
// Each mutant runs against the tests of its own folder, then the type checker, then all tests that import its file, then
// the tests of the bundle. Survivors are printed with their line: either a gap in the tests or an equivalent change.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'src/' },
  },
});
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Patterns and their replacements. */
const mutators = [
  [/ === /g, () => ' !== '],
  [/ !== /g, () => ' === '],
  [/ < /g, () => ' <= '],
  [/ > /g, () => ' >= '],
  [/ <= /g, () => ' < '],
  [/ >= /g, () => ' > '],
  [/ && /g, () => ' || '],
  [/ \|\| /g, () => ' && '],
  [/ \+ /g, () => ' - '],
  [/ \* /g, () => ' / '],
  [/\btrue\b/g, () => 'false'],
  [/\bfalse\b/g, () => 'true'],
  [/(?<=[(\s])!(?=[a-z(])/g, () => ''],
  [/\.some\(/g, () => '.every('],
  [/\.every\(/g, () => '.some('],
  [/Math\.max\(/g, () => 'Math.min('],
  [/Math\.min\(/g, () => 'Math.max('],
  [/(?<=status: )'(?:warn|fail|pass)'/g, (text) => (text === "'pass'" ? "'fail'" : "'pass'")],
  [
    /(?<=(?:const \w+ = |: |\()(?:\d+ \* )?)\d[\d_]*(?:\.\d+)?(?=[;,)\s])/g,
    (text) => String(Number(text.replaceAll('_', '')) * 100 + 1),
  ],
  [/0o[0-7]+/g, () => '0o644'],
];

/** Lines without executable code: comments, imports and types. */
const notExecutable =
  /^\s*(?:\*|\/\/|\/\*|import |export type |type |readonly |export interface |interface |\| )/;

function mutantsOf(path) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  return lines.flatMap((line, i) => {
    if (notExecutable.test(line)) return [];
    return mutators.flatMap(([what, replacement]) =>
      [...line.matchAll(what)]
        .filter(({ index }) => !insideText(line, index))
        .map(({ 0: text, index }) => ({
          path,
          line: i,
          before: line,
          after: line.slice(0, index) + replacement(text) + line.slice(index + text.length),
        })),
    );
  });
}

/** Whether a position in a line is inside a string or a trailing comment. */
function insideText(line, at) {
  const before = line.slice(0, at);
  const quotes = [...before].filter((character, i) => character === "'" && before[i - 1] !== '\\').length;
  const templates = before.split('`').length - 1;
  return quotes % 2 === 1 && line[at] !== "'" ? true : templates % 2 === 1 || before.includes('// ');
}

/** Shuffles by a hash of the seed and the place, so a seed always selects the same mutants, and another seed others. */
function shuffled(items, seed) {
  const rank = (i) => createHash('sha256').update(`${seed} ${i}`).digest('hex');
  return items
    .map((item, i) => [rank(i), item])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item);
}

const sources = readdirSync(join(root, 'src'), { recursive: true })
  .map((file) => `src/${file}`)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('types.ts') && file.startsWith(values.only));
const all = sources.flatMap(mutantsOf);
const chosen = shuffled(all, Number(values.seed)).slice(0, Number(values.count));
console.log(`${chosen.length} of ${all.length} mutants in ${sources.length} files, seed ${values.seed}`);

const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
execFileSync('git', ['worktree', 'add', '--detach', '--force', copy, 'HEAD'], { cwd: root, stdio: 'ignore' });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  execFileSync('git', ['worktree', 'remove', '--force', copy], { cwd: root, stdio: 'ignore' });
  rmSync(copy, { recursive: true, force: true });
});

const passes = (program, ...args) =>
  spawnSync(program, args, { cwd: copy, stdio: 'ignore', timeout: 300_000, env: { ...process.env, CI: '1' } })
    .status === 0;
const vitest = (...args) => passes('npx', 'vitest', 'run', '--bail', '1', ...args);
const slow = ['real', 'chaos', 'e2e', 'cli'].flatMap((folder) => ['--exclude', `test/${folder}/**`]);
const inBundle = ['test/e2e', 'test/cli', 'test/read-only.test.ts'];

/** Which tests detect the mutant, fastest first; undefined when none does. */
function findKiller(path) {
  const own = path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
  const folder = dirname(own) === 'test' ? own : dirname(own);
  if (existsSync(join(copy, folder)) && !vitest(folder, ...slow)) return 'its own tests';
  if (!passes('npx', 'tsc', '--noEmit')) return 'types';
  if (
    !passes(
      'npx',
      'vitest',
      'related',
      '--run',
      '--bail',
      '1',
      path,
      '--exclude',
      'test/bench.test.ts',
      ...slow,
    )
  ) {
    return 'other tests';
  }
  if (!passes('npm', 'run', 'build') || !vitest(...inBundle)) return 'the bundle';
  return undefined;
}

const survivors = [];
for (const [i, mutant] of chosen.entries()) {
  const file = resolve(copy, mutant.path);
  const original = readFileSync(file, 'utf8');
  const lines = original.split('\n');
  lines[mutant.line] = mutant.after;
  writeFileSync(file, lines.join('\n'));
  const by = findKiller(mutant.path);
  writeFileSync(file, original);
  if (by === undefined) survivors.push(mutant);
  const change = `${mutant.path}:${mutant.line + 1}\n    - ${mutant.before.trim()}\n    + ${mutant.after.trim()}`;
  console.log(
    `${i + 1}/${chosen.length} ${by === undefined ? `SURVIVED ${change}` : `killed by ${by}: ${mutant.path}:${mutant.line + 1}`}`,
  );
}
const killed = chosen.length - survivors.length;
console.log(`${killed} of ${chosen.length} killed (${((100 * killed) / chosen.length).toFixed(1)} %)`);
