import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createHypervClock } from '../../../src/host/clock/hyperv.ts';
import { createFiles } from '../../../src/host/files/files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();
const network = '/sys/class/ptp/ptp0/clock_name';
const hyperv = '/sys/class/ptp/ptp1/clock_name';
const devices = { [network]: 'mlx5_ptp\n', [hyperv]: 'hyperv\n' };
const mariner = '/etc/chrony.conf';
const debian = '/etc/chrony/chrony.conf';

/** The Hyper-V clock of a machine that has these files and no others. */
async function clockOf(given: Readonly<Record<string, string>>) {
  const hostRoot = await tempFolder();
  for (const [path, text] of Object.entries(given)) {
    await mkdir(join(hostRoot, dirname(path)), { recursive: true });
    await writeFile(join(hostRoot, path), text);
  }
  return createHypervClock({ files: createFiles({ hostRoot }), sysfs: join(hostRoot, 'sys') })(signal);
}

test.each<[string, Record<string, string>, string[]]>([
  [
    'as Azure Linux keeps it',
    { [mariner]: 'server time.windows.com\nmakestep 1.0 3' },
    ['server time.windows.com', 'makestep 1.0 3'],
  ],
  [
    'as Debian keeps it',
    { [debian]: 'pool 2.debian.pool.ntp.org iburst' },
    ['pool 2.debian.pool.ntp.org iburst'],
  ],
  [
    'with a folder of files',
    { [debian]: 'confdir /etc/chrony/conf.d', '/etc/chrony/conf.d/a.conf': 'rtcsync' },
    ['confdir /etc/chrony/conf.d', 'rtcsync'],
  ],
  [
    'with included files',
    { [mariner]: 'include /etc/chrony.d/*.conf', '/etc/chrony.d/hv.conf': 'refclock PHC /dev/ptp_hyperv' },
    ['include /etc/chrony.d/*.conf', 'refclock PHC /dev/ptp_hyperv'],
  ],
])('the clock is found, with the configuration of chrony %s', async (_what, files, chronyLines) => {
  expect(await clockOf({ ...devices, ...files })).toEqual({ device: '/dev/ptp1', chronyLines });
});

test.each<[string, Record<string, string>]>([
  ['without a Hyper-V clock', { [network]: 'mlx5_ptp\n', [mariner]: 'server time.windows.com\n' }],
  ['without any clock device', { [mariner]: 'server time.windows.com\n' }],
  ['without a configuration of chrony that can be read', devices],
  ['where part of the configuration cannot be read', { ...devices, [mariner]: 'confdir /etc/chrony.d\n' }],
])('%s there is none', async (_what, files) => {
  expect(await clockOf(files)).toBeUndefined();
});
