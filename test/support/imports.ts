import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path/posix';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One import as it stands in a source. */
export interface Import {
  /** A package, or a path from the project's root. */
  readonly from: string;
  /** Gone at run time. */
  readonly typeOnly: boolean;
  /** What is imported by name; `*` and `default` for a whole module. */
  readonly names: readonly string[];
}

export interface Source {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript source below a folder of the project. */
export async function sourcesIn(folder: string): Promise<Source[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { path: relative(root, path), text: await readFile(path, 'utf8') };
    }),
  );
}

/** The imports of a source: static ones, re-exports, and dynamic ones with a literal. */
export function importsOf({ path, text }: Source): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statement = /^(?:import|export)\s+(?:(type\s+)?([^'";=()]*?)\s*from\s*)?'([^']+)'/gm;
  const dynamic =
    /(?:\bconst\s*(\{[^}]*\})\s*=\s*(?:await\s+)?)?\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]/g;
  const resolve = (specifier: string) =>
    specifier.startsWith('.') ? join(dirname(path), specifier) : specifier;
  return [
    ...[...code.matchAll(statement)].map(([, type, clause = '', specifier = '']) => ({
      from: resolve(specifier),
      typeOnly: type !== undefined || onlyTypes(clause),
      names: namesIn(clause),
    })),
    ...[...code.matchAll(dynamic)].map(([, clause, specifier = '']) => ({
      from: resolve(specifier),
      typeOnly: false,
      names: clause === undefined ? ['*'] : namesIn(clause.replaceAll(':', ' as ')),
    })),
  ];
}

const listed = (clause: string): string[] =>
  (/\{([^}]*)\}/.exec(clause)?.[1] ?? '').split(',').flatMap((name) => name.trim() || []);

const onlyTypes = (clause: string): boolean =>
  clause.startsWith('{') &&
  listed(clause).length > 0 &&
  listed(clause).every((name) => name.startsWith('type '));

function namesIn(clause: string): string[] {
  const whole = clause
    .replace(/\{[^}]*\}/, '')
    .replaceAll(',', ' ')
    .trim();
  const first = whole === '' ? [] : [whole.startsWith('*') ? '*' : 'default'];
  return [...first, ...listed(clause).map((name) => name.replace(/^type /, '').replace(/ as .*/, ''))];
}
