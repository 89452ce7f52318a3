import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { isNamedAsPrivateKey } from '../../../src/host/files/private-key.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const signal = AbortSignal.timeout(60_000);

test.each([
  '/certs/device.key',
  '/certs/DEVICE.KEY',
  '/certs/device.key.pem',
  '/certs/device.key.2026',
  '/certs/device-key.pem',
  '/certs/device_key.pem',
  '/certs/key.pem',
  '/certs/privkey1.pem',
  '/certs/private-key.der',
  '/certs/device-key',
  '/certs/device.p8',
  '/var/lib/aziot/keyd/keys/device-id-1234',
])('%s has the name of a private key', (path) => expect(isNamedAsPrivateKey(path)).toBe(true));

test.each([
  '/certs/device.pem',
  '/certs/device-id-0123.cer',
  '/certs/monkey.pem',
  '/certs/keyless.pem',
  '/a.key/device.pem',
  '/certs/device-keys.pem',
  '/certs/turkey.crt',
  '/var/lib/aziot/certd/certs/aziot-edged-ca.cer',
])('%s does not', (path) => expect(isNamedAsPrivateKey(path)).toBe(false));

test('a private key is refused before it is opened, also where a link with another name leads to it', async () => {
  const hostRoot = await tempFolder();
  const key = '/certs/device.key.pem';
  await mkdir(join(hostRoot, dirname(key)));
  // It would be refused for its size after it was opened.
  await writeFile(join(hostRoot, key), Buffer.alloc(2_097_152));
  await symlink('device.key.pem', join(hostRoot, 'certs/device.pem'));
  const files = createFiles({ hostRoot });
  expect(await files.find('/certs/*', signal)).toEqual([key, '/certs/device.pem']);
  for (const path of [key, '/certs/device.pem']) {
    await expect(files.read(path, signal)).rejects.toMatchObject({
      reason: 'not_applicable',
      message: `${path} has the name of a private key, so it is not opened`,
    });
  }
});
