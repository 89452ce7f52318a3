import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { parseOsRelease, systemOfKernel } from '../../../src/host/system/os-release.ts';
import { createSystem } from '../../../src/host/system/system.ts';
import { checkProperty } from '../../support/properties.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

test.each([
  ['ID=azurelinux\nVERSION_ID="3.0"\n', 'azurelinux', '3.0'],
  ['NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n', 'ubuntu', '24.04'],
  ["ID='debian'\nVERSION_ID='12'", 'debian', '12'],
  ['ID=arch\n', 'arch', undefined],
  ['', undefined, undefined],
  ['ID="$(reboot)"\n', undefined, undefined],
])('os-release %j', (text, id, version) => {
  expect(parseOsRelease(text)).toEqual({ id, version });
});

test('no text makes the parser of os-release throw', () => {
  checkProperty(
    fc.property(fc.string(), (text) => void parseOsRelease(`ID=${text}`)),
    300,
  );
});

test.each<[string, string, string | undefined, string | undefined]>([
  ['5.15.182.1-1.cm2', '#1 SMP', 'mariner', '2.0'],
  ['6.6.104.2-4.azl3', '#1 SMP PREEMPT_DYNAMIC', 'azurelinux', '3.0'],
  ['5.14.0-427.el9.x86_64', '#1 SMP', 'rhel', '9'],
  ['5.14.0-503.11.1.el9_5.x86_64', '#1 SMP', 'rhel', '9'],
  ['6.8.0-45-generic', '#45-Ubuntu SMP PREEMPT_DYNAMIC', 'ubuntu', undefined],
  ['6.8.0-45-generic', '#45~22.04.1-Ubuntu SMP PREEMPT_DYNAMIC', 'ubuntu', '22.04'],
  ['6.1.0-40-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)', 'debian', '12'],
  ['6.1.0-0.deb11.21-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1~bpo11+1 (2024-05-21)', 'debian', '11'],
  ['6.12.48+deb13-amd64', '#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)', 'debian', '13'],
  ['6.9.0-custom', '#1 SMP', undefined, undefined],
])('the kernel %s %s', (release, version, id, its) => {
  expect(systemOfKernel(release, version)).toEqual({ id, version: its });
});

describe('the system', () => {
  const on = async (files: Readonly<Record<string, string>>) => {
    const hostRoot = await tempFolder();
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(hostRoot, path, '..'), { recursive: true });
      await writeFile(join(hostRoot, path), text);
    }
    return createSystem({
      files: createFiles({ hostRoot, mountinfo: () => '' }),
      kernel: () => ({ release: '6.6.104.2-4.azl3', version: '#1 SMP' }),
    })(signal);
  };

  test('is what os-release of the VM says', async () => {
    expect(await on({ 'usr/lib/os-release': 'ID=ubuntu\nVERSION_ID=22.04\n' })).toEqual({
      id: 'ubuntu',
      version: '22.04',
      source: 'os-release',
      hasEflowFiles: false,
    });
  });

  test('is what the kernel says where nothing is mounted', async () => {
    expect(await on({})).toMatchObject({ id: 'azurelinux', version: '3.0', source: 'kernel' });
  });

  test('is EFLOW by its files', async () => {
    expect(await on({ 'etc/product-info.toml': '' })).toMatchObject({ hasEflowFiles: true });
  });
});
