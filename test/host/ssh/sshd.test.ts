import { execFileSync } from 'node:child_process';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { parseLine } from '../../../src/host/ssh/parse-line.ts';
import { createSshd } from '../../../src/host/ssh/sshd.ts';
import { have } from '../../support/programs/installed.ts';
import { checkProperty } from '../../support/properties.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

async function vm(files: Readonly<Record<string, string>>) {
  const hostRoot = await tempFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(hostRoot, path, '..'), { recursive: true });
    await writeFile(join(hostRoot, path), text);
  }
  return { hostRoot, sshd: createSshd({ files: createFiles({ hostRoot, mountinfo: () => '' }) }) };
}

const main = 'etc/ssh/sshd_config';
const linesOf = async (files: Readonly<Record<string, string>>) =>
  (await (await vm(files)).sshd(signal)).directives.map(({ keyword, values, block }) =>
    [block ? `${block.file}:${block.line}` : '', keyword, ...values].join(' ').trim(),
  );

test('drop-ins come where they are included, so they win over the file', async () => {
  expect(
    await linesOf({
      [main]: 'Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\n',
      'etc/ssh/sshd_config.d/20-b.conf': 'PermitRootLogin no\n',
      'etc/ssh/sshd_config.d/10-a.conf': 'X11Forwarding no\n',
    }),
  ).toEqual(['x11forwarding no', 'permitrootlogin no', 'permitrootlogin yes']);
});

test('a relative Include is below /etc/ssh, and one without a match is no problem', async () => {
  expect(
    await linesOf({ [main]: 'Include more.conf none/*.conf\n', 'etc/ssh/more.conf': 'UsePAM yes\n' }),
  ).toEqual(['usepam yes']);
});

test('a Match in an included file ends with that file; Match all is everybody', async () => {
  expect(
    await linesOf({
      [main]:
        'Include /etc/ssh/a.conf\nUsePAM yes\nMatch User bob\nX11Forwarding no\nMatch all\nPermitTTY no\n',
      'etc/ssh/a.conf': '\nMatch Group g\nPermitRootLogin yes\n',
    }),
  ).toEqual([
    '/etc/ssh/a.conf:2 permitrootlogin yes',
    'usepam yes',
    '/etc/ssh/sshd_config:3 x11forwarding no',
    'permittty no',
  ]);
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  [
    'an unknown keyword',
    { [main]: '\nS3cret yes\n' },
    /sshd refuses \/etc\/ssh\/sshd_config, line 2: it has an unknown keyword/,
  ],
  [
    'a cipher nobody knows',
    { [main]: 'Ciphers s3cret\n' },
    /line 1: it names an algorithm that is not known/,
  ],
  ['an open quote', { [main]: 'Banner "s3cret\n' }, /line 1: it has invalid quotes/],
  ['itself included', { [main]: 'Include /etc/ssh/sshd_config\n' }, /one included file too many/],
  [
    'a keyword that a Match may not have',
    { [main]: 'Match User bob\nCiphers aes256-ctr\n' },
    /line 2: it is not allowed in a Match block/,
  ],
])('%s makes the configuration unreadable, without a word of the line', async (_, files, message) => {
  const { sshd } = await vm(files);
  const error = await sshd(signal).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ reason: 'unreadable', message: expect.stringMatching(message) });
  expect((error as Error).message).not.toContain('s3cret');
});

test('without access to /etc/ssh it is skipped, with what to mount', async () => {
  const { sshd } = await vm({});
  await expect(sshd(signal)).rejects.toMatchObject({
    reason: 'no_access',
    remedy: expect.stringContaining('/etc/ssh'),
  });
});

describe('the version', () => {
  test('is that of the package', async () => {
    const status =
      'Package: adduser\nVersion: 3.134\n\nPackage: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2+deb12u7\n\nPackage: zlib\nVersion: 1:8.0p1\n';
    const { sshd } = await vm({ [main]: '', 'var/lib/dpkg/status': status });
    expect((await sshd(signal)).version).toBe('9.2');
  });

  test('is another once the package is', async () => {
    const status = (version: string) => `Package: openssh-server\nVersion: 1:${version}p1-2\n`;
    const { hostRoot, sshd } = await vm({ [main]: '', 'var/lib/dpkg/status': status('9.2') });
    expect((await sshd(signal)).version).toBe('9.2');
    await writeFile(join(hostRoot, 'var/lib/dpkg/status'), status('9.9'));
    await utimes(join(hostRoot, 'var/lib/dpkg/status'), 1, 1);
    expect((await sshd(signal)).version).toBe('9.9');
  });

  test('is unknown without a package database', async () => {
    expect((await (await vm({ [main]: '' })).sshd(signal)).version).toBeUndefined();
  });
});

test.skipIf(!have('ssh-keygen'))(
  'host keys have their type and size, by their public halves (openssh-client)',
  async () => {
    const { hostRoot, sshd } = await vm({
      [main]: 'HostKey /etc/ssh/a\nHostKey /etc/ssh/b\nHostKey /etc/ssh/none\n',
    });
    const make = (name: string, ...args: string[]) =>
      execFileSync('ssh-keygen', ['-q', '-N', '', '-f', join(hostRoot, 'etc/ssh', name), ...args]);
    make('a', '-t', 'rsa', '-b', '1024');
    make('b', '-t', 'ed25519');
    expect((await sshd(signal)).hostKeys).toEqual([
      { path: '/etc/ssh/a', type: 'ssh-rsa', bits: 1024 },
      { path: '/etc/ssh/b', type: 'ssh-ed25519' },
    ]);
  },
);

test('no line makes the parser throw', () => {
  checkProperty(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z ="'#\\\t]{0,40}$/)),
      (line) => void parseLine(line),
    ),
    1000,
  );
});
