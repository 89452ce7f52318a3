import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { absent, cannotUse } from '../../../src/host/tpm/failures.ts';
import { createTpm } from '../../../src/host/tpm/tpm.ts';
import { bundled } from '../../support/programs/bundle.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

/** A machine whose kernel lists TPMs of these versions; undefined is a kernel that does not tell. */
async function machine(versions: readonly (string | undefined)[], { raw = false } = {}) {
  const folder = await tempFolder();
  const paths = { managed: join(folder, 'tpmrm0'), raw: join(folder, 'tpm0'), list: join(folder, 'tpm') };
  for (const [i, version] of versions.entries()) {
    await mkdir(join(paths.list, `tpm${i}`), { recursive: true });
    if (version) await writeFile(join(paths.list, `tpm${i}`, 'tpm_version_major'), `${version}\n`);
  }
  if (raw) await writeFile(paths.raw, '');
  return paths;
}

describe('without the device', () => {
  test.each<[string, readonly (string | undefined)[], boolean, object]>([
    ['no TPM', [], false, { reason: 'not_applicable', message: 'This machine has no TPM' }],
    ['a TPM 1.2', ['1'], true, { reason: 'not_applicable', message: expect.stringContaining('TPM 1.2') }],
    [
      'a TPM that was not passed',
      ['2'],
      false,
      { reason: 'no_access', message: expect.stringContaining('not passed') },
    ],
    ['an old kernel', [undefined], false, { reason: 'no_access' }],
    [
      '/dev/tpm0 alone',
      ['2'],
      true,
      { reason: 'no_access', message: expect.stringContaining('tpm0 is, but') },
    ],
    ['/dev/tpm0 alone, and no sysfs', [], true, { reason: 'no_access' }],
  ])('a machine with %s says so', async (_, versions, raw, expected) => {
    const paths = await machine(versions, { raw });
    await expect(createTpm({ paths })(undefined, signal)).rejects.toMatchObject(expected);
  });

  test('the createOptions that pass it are valid JSON, with the device that is shared and the group', async () => {
    const { remedy } = await absent({ ...(await machine(['2'])), managed: '/dev/tpmrm0' });
    const [, options = ''] = /"HostConfig": (\{.*\}), with/.exec(remedy ?? '') ?? [];
    expect(JSON.parse(options)).toEqual({
      Devices: [{ PathOnHost: '/dev/tpmrm0', PathInContainer: '/dev/tpmrm0', CgroupPermissions: 'rw' }],
      GroupAdd: ['GROUP ID'],
    });
  });

  test('a device that may not be used names its group', () => {
    const { reason, remedy } = cannotUse(
      '/dev/tpmrm0',
      113,
      Object.assign(new Error(''), { code: 'EACCES' }),
    );
    expect(reason).toBe('unreadable');
    expect(remedy).toContain('"GroupAdd": [ "113" ]');
  });
});

describe('in the place of the device', () => {
  test('a file is not written to', async () => {
    const paths = await machine([]);
    await writeFile(paths.managed, 'keep me');
    await expect(createTpm({ paths })(undefined, signal)).rejects.toMatchObject({ reason: 'no_answer' });
    expect(await readFile(paths.managed, 'utf8')).toBe('keep me');
  });

  test.each([
    ['a FIFO', ['mkfifo']],
    ['a folder', ['mkdir']],
    ['a link to /dev/null', ['ln', '-s', '/dev/null']],
    ['a link to /dev/zero', ['ln', '-s', '/dev/zero']],
  ])('%s is no TPM', async (_, [program = '', ...options]) => {
    const paths = await machine([]);
    execFileSync(program, [...options, paths.managed]);
    await expect(createTpm({ paths })(undefined, signal)).rejects.toMatchObject({ reason: 'no_answer' });
  });
});

/** A server that answers whatever it gets. */
async function server(answer: (socket: Socket, sent: Buffer) => void) {
  const listening = createServer((socket) => {
    socket.on('error', () => {}).on('data', (sent) => answer(socket, sent));
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void listening.close());
  const address = listening.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
}

/** What the simulator sends for a response. */
function framed(response: Buffer, acknowledgement = 0): Buffer {
  const frame = Buffer.alloc(response.length + 8);
  frame.writeUInt32BE(response.length);
  response.copy(frame, 4);
  frame.writeUInt32BE(acknowledgement, 4 + response.length);
  return frame;
}

/** A response in hex, with its header. */
function response(code: number, parameters = ''): Buffer {
  const body = Buffer.from(parameters, 'hex');
  const header = Buffer.alloc(10);
  header.writeUInt16BE(0x8001);
  header.writeUInt32BE(10 + body.length, 2);
  header.writeUInt32BE(code, 6);
  return Buffer.concat([header, body]);
}

describe('in the place of the simulator', () => {
  bundled('tpm');

  test('nothing is not found', async () => {
    const endpoint = await server(() => {});
    await expect(createTpm()({ ...endpoint, port: 1 }, signal)).rejects.toMatchObject({
      reason: 'not_found',
      message: 'Nothing answers at 127.0.0.1:1',
    });
  });

  test.each<[string, Buffer, RegExp]>([
    ['that is switched off', Buffer.alloc(8), /switched off/],
    ['that is not started', framed(response(0x100)), /code 0x100/],
    ['that has failed', framed(response(0x101)), /code 0x101/],
    ['that answers without end', Buffer.from('ffffffff', 'hex'), /simulator protocol/],
    ['that speaks HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /simulator protocol/],
    ['with an answer that it does not confirm', framed(response(0), 7), /confirm/],
    ['with a list of nothing', framed(response(0)), /no list/],
    ['with another list', framed(response(0, '000000000100000000')), /no list/],
    ['with a list of four billion', framed(response(0, '0000000006ffffffff')), /a list of 4294967295/],
    ['with a list that ends too early', framed(response(0, '000000000600000002')), /a list of 2/],
  ])('a TPM %s cannot be read', async (_, bytes, why) => {
    const endpoint = await server((socket) => socket.write(bytes));
    const error = await createTpm()(endpoint, signal).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ reason: 'no_answer', cause: { message: expect.stringMatching(why) } });
  });

  test('a TPM that hangs up cannot be read', async () => {
    const endpoint = await server((socket) => socket.end());
    await expect(createTpm()(endpoint, signal)).rejects.toMatchObject({
      reason: 'no_answer',
      cause: { message: expect.stringContaining('closed the connection') },
    });
  });
});

test('the bundle has nothing of the library that opens a device, dials, creates or authorizes', async () => {
  const code = await readFile(bundled('tpm'), 'utf8');
  expect(code).toContain('TPM2_ReadPublic_REQUEST');
  expect(code).not.toMatch(/\/dev\/tpm|2321|2323|TpmLinuxDevice|TpmTcpDevice|ffi-napi/);
  const requests = new Set(code.match(/TPM2_\w+_REQUEST/g));
  expect([...requests].sort()).toEqual(['TPM2_GetCapability_REQUEST', 'TPM2_ReadPublic_REQUEST']);
});
