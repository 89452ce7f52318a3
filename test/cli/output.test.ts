import { expect, test } from 'vitest';
import { bundled, run } from '../support/programs/bundle.ts';
import { policyFile, policyThatGives } from '../support/programs/cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Runs a line of bash in which CLI stands for the command line. */
async function shell(line: string) {
  const { out, err, ended } = run(
    ['bash', '-c', line.replaceAll('CLI', `${process.execPath} ${bundled('cli')}`)],
    { HARDENING_HOST_ROOT: '/', HARDENING_STATE_DIR: await tempFolder() },
  );
  return { code: await ended, out: out(), err: err() };
}

const full = 'eflow-hardening: Could not write to standard output: no space left on device\n';

test.each([
  'policy example',
  'policy example --json',
  'policy schema',
  'list',
  '--help',
  '--version',
  'check --help',
])('%s reports that its output could not be written', async (command) => {
  expect(await shell(`CLI ${command} >/dev/full`)).toEqual({ code: 2, out: '', err: full });
});

test.each(['', '--json', '--verbose'])(
  'check %s reports that its output could not be written, whatever it found',
  async (option) => {
    for (const status of ['pass', 'fail'] as const) {
      const policy = await policyThatGives(status);
      expect(await shell(`CLI check ${option} --policy ${policy} >/dev/full`)).toEqual({
        code: 2,
        out: '',
        err: full,
      });
    }
  },
);

test('policy validate reports that its output could not be written', async () => {
  expect(await shell(`CLI policy validate ${await policyFile({})} >/dev/full`)).toMatchObject({
    code: 2,
    err: full,
  });
});

test('check --junit reports that the file could not be written', async () => {
  const line = `CLI check --junit /dev/full --policy ${await policyThatGives('pass')} >/dev/null`;
  expect(await shell(line)).toEqual({
    code: 2,
    out: '',
    err: 'eflow-hardening: Could not write /dev/full: no space left on device\n',
  });
});

test.each([
  ['pass', 0],
  ['fail', 1],
  ['unknown', 2],
] as const)(
  'a reader that has gone does not change the exit code: %s exits with %d',
  async (status, code) => {
    const policy = await policyThatGives(status);
    // The pipe is closed before the command begins.
    const line = `exec 3> >(true); wait $!; CLI check --json --policy ${policy} >&3`;
    expect(await shell(line)).toEqual({ code, out: '', err: '' });
  },
);

test('a reader that has read enough ends policy schema quietly', async () => {
  const { code, out, err } = await shell('set -o pipefail; CLI policy schema | head -1');
  expect({ code, out, err }).toEqual({ code: 0, out: '{\n', err: '' });
});

test('simulate ends when its output has no reader', async () => {
  const line = 'exec 3> >(true); wait $!; CLI simulate --port 0 --admin-port 0 --metrics-port 0 >&3';
  expect((await shell(line)).code).toBe(0);
});

test('bad usage exits with code 2 even where standard error cannot be written', async () => {
  expect(await shell('CLI chek 2>/dev/full')).toEqual({ code: 2, out: '', err: '' });
});
