import { readFileSync } from 'node:fs';

/** The Node.js that the image ships, where the environment names one: `TEST_NODE=/path/to/node`. */
const shipped = process.env.TEST_NODE || undefined;

/** Whether bundles run on the Node.js that the image ships rather than on the one that runs the tests. */
export const onShippedNode = shipped !== undefined;

/** The image's command up to the bundle: Node.js with the flags of its ENTRYPOINT. */
export const node: readonly string[] = [shipped ?? process.execPath, ...imageFlags()];

function imageFlags(): readonly string[] {
  const dockerfile = readFileSync(new URL('../../Dockerfile.amd64', import.meta.url), 'utf8');
  const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  return (JSON.parse(entrypoint) as string[]).filter((part) => part.startsWith('--'));
}
