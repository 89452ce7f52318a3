import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path/posix';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One import statement or expression of a source. */
export interface Import {
  /** A package, or a path relative to the project's root. */
  readonly from: string;
  /** Whether the import is erased at compile time. */
  readonly typeOnly: boolean;
  /** The imported names; `*` or `default` for a whole module. */
  readonly names: readonly string[];
}

export interface Source {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
}

/** All TypeScript sources below a folder of the project. */
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

/** The imports of a source: static imports, re-exports, and dynamic imports of a literal. */
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

const namesInBraces = (clause: string): string[] =>
  (/\{([^}]*)\}/.exec(clause)?.[1] ?? '').split(',').flatMap((name) => name.trim() || []);

const onlyTypes = (clause: string): boolean =>
  clause.startsWith('{') &&
  namesInBraces(clause).length > 0 &&
  namesInBraces(clause).every((name) => name.startsWith('type '));

function namesIn(clause: string): string[] {
  const outsideBraces = clause
    .replace(/\{[^}]*\}/, '')
    .replaceAll(',', ' ')
    .trim();
  const first = outsideBraces === '' ? [] : [outsideBraces.startsWith('*') ? '*' : 'default'];
  return [...first, ...namesInBraces(clause).map((name) => name.replace(/^type /, '').replace(/ as .*/, ''))];
}
