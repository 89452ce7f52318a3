/** What each package costs in the image's bundles, in bytes, as a table; the largest first. */
export function why({ outputs }) {
  const packages = new Map();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = packageOf(path);
      packages.set(name, (packages.get(name) ?? 0) + bytesInOutput);
    }
  }
  const files = Object.entries(outputs).map(([path, { bytes, imports }]) => [
    bytes,
    `${path}${imports.some(({ kind }) => kind === 'dynamic-import') ? ' (loads others when needed)' : ''}`,
  ]);
  const total = files.reduce((sum, [bytes]) => sum + bytes, 0);
  return [
    ...table([...files, [total, 'in all']]),
    '',
    ...table([...packages].map(([name, bytes]) => [bytes, name]).sort(([a], [b]) => b - a)),
  ].join('\n');
}

const packageOf = (path) =>
  /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ??
  (/^[\w-]+:/.test(path) ? 'replacements' : path.split('/').slice(0, 2).join('/'));

const table = (rows) => rows.map(([bytes, name]) => `${bytes.toLocaleString('en').padStart(11)}  ${name}`);
