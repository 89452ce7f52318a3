import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createHypervUnused } from '../../../src/host/clock/hyperv-clock.ts';
import { createFiles } from '../../../src/host/files/files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();
const network = '/sys/class/ptp/ptp0/clock_name';
const hyperv = '/sys/class/ptp/ptp1/clock_name';
const devices = { [network]: 'mlx5_ptp\n', [hyperv]: 'hyperv\n' };
const mariner = '/etc/chrony.conf';
const debian = '/etc/chrony/chrony.conf';

/** Asks a machine that has these files and no others. */
async function unused(given: Readonly<Record<string, string>>): Promise<boolean> {
  const hostRoot = await tempFolder();
  for (const [path, text] of Object.entries(given)) {
    await mkdir(join(hostRoot, dirname(path)), { recursive: true });
    await writeFile(join(hostRoot, path), text);
  }
  return createHypervUnused({ files: createFiles({ hostRoot }), sysfs: join(hostRoot, 'sys') })(signal);
}

test.each<[string, Record<string, string>]>([
  ['nothing but servers', { [mariner]: 'server time.windows.com\nmakestep 1.0 3\n' }],
  ['servers, as Debian keeps them', { [debian]: 'pool 2.debian.pool.ntp.org iburst\n' }],
  ['the line as a comment', { [mariner]: '#refclock PHC /dev/ptp_hyperv poll 3\n' }],
  ['the clock of the network card', { [mariner]: 'refclock PHC /dev/ptp0 poll 3\n' }],
  ['another kind of clock', { [mariner]: 'refclock SHM 0 refid GPS\n' }],
  [
    'only servers in its folder too',
    { [debian]: 'confdir /etc/chrony/conf.d\n', '/etc/chrony/conf.d/a.conf': 'rtcsync\n' },
  ],
])('a configuration that has %s leaves the Hyper-V clock unused', async (_what, files) => {
  expect(await unused({ ...devices, ...files })).toBe(true);
});

test.each<[string, Record<string, string>]>([
  ['by its link', { [mariner]: 'refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2\n' }],
  ['by its device', { [mariner]: '  refclock PHC /dev/ptp1:nocrossts poll 3\n' }],
  [
    'in an included file',
    {
      [mariner]: 'include /etc/chrony.d/*.conf\n',
      '/etc/chrony.d/hv.conf': 'refclock PHC /dev/ptp_hyperv\n',
    },
  ],
  [
    'in a folder of files',
    {
      [debian]: 'confdir /etc/chrony/conf.d\n',
      '/etc/chrony/conf.d/hv.conf': 'refclock PHC /dev/ptp_hyperv\n',
    },
  ],
])('a configuration that names it %s uses it', async (_what, files) => {
  expect(await unused({ ...devices, ...files })).toBe(false);
});

test.each<[string, Record<string, string>]>([
  ['without a Hyper-V clock', { [network]: 'mlx5_ptp\n', [mariner]: 'server time.windows.com\n' }],
  ['without any clock device', { [mariner]: 'server time.windows.com\n' }],
  ['without chrony, or a look at its configuration', devices],
  ['with a part of the configuration out of sight', { ...devices, [mariner]: 'confdir /etc/chrony.d\n' }],
])('%s nothing is claimed', async (_what, files) => {
  expect(await unused(files)).toBe(false);
});
