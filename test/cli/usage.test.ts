import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { cli, policyFile } from '../support/programs/cli.ts';

describe('invalid usage prints one line and exits with code 2', () => {
  test.each([
    [['check', 'clokDrift'], {}, /Unknown check clokDrift, did you mean clockDrift\? \(known: clockDrift, /],
    [['check', 'disk'], {}, /Unknown check disk, did you mean diskSpace\? \(known: clockDrift, /],
    [['check', '--junit', ''], {}, /--junit must be a file, or - for standard output, got ""$/m],
    [
      ['check', '--json', '--junit', '-'],
      {},
      /--json and --junit - cannot be combined: both write to standard output; give --junit a file$/m,
    ],
    [
      ['check'],
      { HARDENING_PORT: 'banana' },
      /HARDENING_PORT must be a port from 0 to 65535 .*, got "banana"/,
    ],
    [
      ['list'],
      { HARDENING_HOST_ROOT: 'relative' },
      /HARDENING_HOST_ROOT must be an absolute path, got "relative"/,
    ],
    [['check'], { https_proxy: 'ftp://proxy' }, /https_proxy/],
    [
      ['check', '--policy', '/nowhere/policy.json'],
      {},
      /Could not read the policy \/nowhere\/policy\.json: no such file or directory$/m,
    ],
    [
      ['policy', 'validate', '/nowhere/policy.json'],
      {},
      /Could not read the policy \/nowhere\/policy\.json: no such file or directory$/m,
    ],
    [['simulate', '--port', 'many'], {}, /--port must be a port from 0 to 65535, got "many"/],
    [['check', '--jsn'], {}, /unknown option '--jsn'/],
    [['chek'], {}, /unknown command 'chek'/],
  ])('%j %j', async (args, environment, message) => {
    const { code, out, err } = await cli(args, environment);
    expect(err).toMatch(message);
    // Commander prints its suggestion on a separate line.
    expect(
      err
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('(Did you mean')),
    ).toHaveLength(1);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  test('every problem of an invalid policy file is printed', async () => {
    const file = await policyFile({
      schedul: '* * * * *',
      checks: { diskSpace: { warnUsedPercent: 'much' } },
    });
    const { code, err } = await cli(['check', '--policy', file]);
    expect(err).toContain('schedul: unknown key, did you mean schedule?');
    expect(err).toContain('checks.diskSpace.warnUsedPercent must be a number from 0 to 100, got "much"');
    expect(err.trimEnd()).not.toContain('\n');
    expect(code).toBe(2);
  });
});

test('--help lists every command on standard output and exits with code 0', async () => {
  const { code, out, err } = await cli(['--help']);
  for (const command of ['check', 'list', 'policy', 'simulate'])
    expect(out).toMatch(new RegExp(`^  ${command}`, 'm'));
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await cli(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});
