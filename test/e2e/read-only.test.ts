import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPlantedVm, plantedChecks } from '../support/fixtures/planted-vm.ts';
import { createDevice, soon } from '../support/programs/device.ts';
import { have } from '../support/programs/installed.ts';

/** System calls that change what is at a path. `open` is judged by its flags instead. */
const changingCalls =
  /^(creat|mkdir|mkdirat|rename|renameat|renameat2|unlink|unlinkat|rmdir|link|linkat|symlink|symlinkat|mknod|mknodat|truncate|chmod|fchmodat|chown|lchown|fchownat|utime|utimes|utimensat|futimesat|setxattr|lsetxattr|removexattr|mount|umount2|pivot_root|chroot|swapon)$/;

/** Paths that an strace log shows as written, including failed attempts. */
function writtenPaths(trace: string): string[] {
  return trace.split('\n').flatMap((line) => {
    const [, call = '', args = ''] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    const opens = /^open(at2?)?$/.test(call) && /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND/.test(args);
    return opens || changingCalls.test(call)
      ? [...args.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path)
      : [];
  });
}

describe.skipIf(!have('strace'))('the agent under strace (Debian package strace)', () => {
  test('writes nothing outside the state folder', async () => {
    const { folder, state, start, desire, reported } = await createDevice();
    const file = join(folder, 'trace');
    const agent = await start({}, ['strace', '-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', file]);
    await soon(reported).toMatchObject({ summary: { status: 'fail' } });
    await desire({ policy: { checks: { diskSpace: { warnUsedPercent: 0 } } } });
    await soon(reported).toMatchObject({ checks: { diskSpace: { status: 'warn' } } });
    await agent.get('/metrics');
    expect((await agent.stop()).code).toBe(0);

    const paths = writtenPaths(await readFile(file, 'utf8'));
    const inside = `${await realpath(state)}/`;
    // Proves that the trace shows writes.
    expect(paths).toContain(`${inside}state.json`);
    const outside = paths.filter((path) => !`${path}/`.startsWith(inside) && path !== '/dev/null');
    expect(outside).toEqual([]);
  });

  test('opens no private key, on a device with a key in every place', async () => {
    const vm = await createPlantedVm();
    const { folder, start, desire, reported, simulator } = await createDevice();
    await simulator.admin('PUT', '/modules', { modules: vm.modules });
    const enabled = Object.fromEntries(plantedChecks.map((id) => [id, { enabled: true }]));
    const certificateExpiry = {
      files: ['/etc/ssh/*', '/var/aziot/secrets/*', '/var/lib/aziot/keyd/keys/*'],
      endpoints: [],
    };
    await desire({ policy: { checks: { ...enabled, certificateExpiry } } });
    const file = join(folder, 'trace');
    const strace = ['strace', '-f', '-qq', '-s', '4096', '-e', 'trace=openat,open', '-o', file];
    const agent = await start(vm.environment, strace);
    await soon(reported).toMatchObject({ checks: { sshSettings: { status: 'fail' } } });
    expect((await agent.stop()).code).toBe(0);
    const files = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.includes('O_DIRECTORY'));
    const opened = files.map((line) => /"([^"]*)"/.exec(line)?.[1] ?? '');
    const inVm = opened
      .filter((path) => path.startsWith(vm.hostRoot))
      .map((path) => path.slice(vm.hostRoot.length));
    // Proves that the trace shows what is read.
    expect(inVm).toContain('/etc/ssh/sshd_config');
    expect(inVm).toContain('/etc/ssh/ssh_host_rsa_key.pub');
    const keys = /\.key|_key$|\/secrets\/|config\.toml$|keyd\/config/;
    expect(inVm.filter((path) => keys.test(path))).toEqual([]);
  }, 60_000);

  test.each([
    ['12 openat(AT_FDCWD, "/etc/x", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3', ['/etc/x']],
    ['12 openat(AT_FDCWD, "/etc/x", O_RDONLY|O_CLOEXEC) = 3', []],
    ['12 rename("/a", "/b") = 0', ['/a', '/b']],
    ['12 mkdirat(AT_FDCWD, "/a", 0777) = -1 EROFS (Read-only file system)', ['/a']],
    ['12 statx(AT_FDCWD, "/a", 0, 0, {}) = 0', []],
  ])('from %j the test extracts %j', (line, paths) => {
    expect(writtenPaths(line)).toEqual(paths);
  });
});
