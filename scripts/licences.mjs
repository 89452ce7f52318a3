import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The licences of all packages that the files `inputs` (relative to `root`) belong to, as one text. */
export async function licences(root, inputs) {
  const folders = inputs.map((path) => /^[^:]*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]);
  const packages = await Promise.all(
    [...new Set(folders)].filter(Boolean).map((folder) => licence(join(root, folder))),
  );
  return [...new Set(packages)].sort().join(`\n${'-'.repeat(80)}\n\n`);
}

async function licence(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[sc]e|copying|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return [
    `${name} ${version} (${license ?? 'see below'})\n`,
    ...texts.map((text) => `${text.trim()}\n`),
  ].join('\n');
}
