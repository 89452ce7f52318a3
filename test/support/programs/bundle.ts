import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);

/** The path of a bundled program. Throws when the bundle is missing or older than a source. */
export function bundled(name: 'main' | 'cli' | 'statfs' | 'tpm' | 'demo' | 'bench'): string {
  const file = new URL(`dist/${name}.js`, root);
  const built = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newer = sources().find((source) => statSync(source).mtimeMs > built);
  if (newer)
    throw new Error(`dist/${name}.js is missing or older than ${fileURLToPath(newer)}: npm run build`);
  return fileURLToPath(file);
}

const sources = (): URL[] =>
  ['src/', 'simulator/', 'demo/', 'bench/', 'scripts/'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.m?ts$|\.mjs$/.test(file))
      .map((file) => new URL(folder + file, root)),
  );

/** A running program, with its output so far. */
export interface Running {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves to the exit code; null after a signal. */
  readonly ended: Promise<number | null>;
}

/** Starts a command with only these variables and PATH in its environment. */
export function run(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  options: { readonly detached?: boolean } = {},
): Running {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    ...options,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.err += text;
  });
  // 'exit' can fire before the pipes are drained.
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, out: () => output.out, err: () => output.err, ended };
}
