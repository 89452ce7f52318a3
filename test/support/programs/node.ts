import { readFileSync } from 'node:fs';

/** The image's Node.js, if the environment has its path: `TEST_NODE=/path/to/node`. */
const imageNode = process.env.TEST_NODE || undefined;

/** Whether bundles run on the image's Node.js rather than on the one that runs the tests. */
export const onImageNode = imageNode !== undefined;

/** The command that runs a bundle: Node.js with the flags of the image's ENTRYPOINT. */
export const node: readonly string[] = [imageNode ?? process.execPath, ...imageFlags()];

function imageFlags(): readonly string[] {
  const dockerfile = readFileSync(new URL('../../../Dockerfile.amd64', import.meta.url), 'utf8');
  const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  return (JSON.parse(entrypoint) as string[]).filter((part) => part.startsWith('--'));
}
