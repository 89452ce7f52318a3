import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checks } from '../../src/checks/index.ts';
import { parseJsonc } from '../../src/policy/jsonc.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { bundled, run } from '../support/programs/bundle.ts';
import { cli, policyFile } from '../support/programs/cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('list prints every check, the access it needs and whether it has that access', async () => {
  const root = await tempFolder();
  const policy = await policyFile({ checks: { certificateExpiry: { files: [`${root}/*`, '/nowhere/*'] } } });
  const { code, out } = await cli(['list', '--policy', policy]);
  for (const { id, title } of checks) expect(out).toContain(`${id}\n    ${title}\n`);
  expect(out).toContain(`needs to read ${root}: given`);
  expect(out).toContain('needs to read /nowhere: not given');
  expect(out).toContain('needs the network: UDP (NTP) to time.windows.com');
  expect(out).toMatch(/^clockDrift\n.*\n {4}tier: no mounts\n/m);
  expect(out).toMatch(/^listeningPorts\n.*\n {4}tier: read-only mounts\n/m);
  expect(out).toMatch(/^containerPosture\n.*\n {4}tier: a device or the engine socket\n/m);
  expect(code).toBe(0);
});

test('list marks the checks that the policy disables', async () => {
  const policy = await policyFile({ checks: { diskSpace: { enabled: false } } });
  const { out } = await cli(['list', '--policy', policy]);
  expect(out).toMatch(
    /^diskSpace\n {4}.*\n {4}tier: .*\n {4}disabled by the policy; if enabled:\n {4}needs /m,
  );
  expect(out.match(/disabled/g)).toHaveLength(1);
});

describe('policy', () => {
  test('validate accepts a valid policy with comments', async () => {
    const file = await policyFile('// comment\n{ "checks": { "diskSpace": { "paths": ["/"] } } }');
    expect(await cli(['policy', 'validate', file])).toEqual({
      code: 0,
      out: `${file}: a valid policy\n`,
      err: '',
    });
  });

  test('validate prints one line for each problem of an invalid policy, with its line and column', async () => {
    const file = await policyFile(
      '{\n  "schedul": "",\n  "checks": {\n    "diskSpace": { "warnUsedPercent": 99, "failUsedPercent": 1, "paths": "/" }\n  }\n}',
    );
    const { code, out, err } = await cli(['policy', 'validate', file]);
    expect(err.trimEnd().split('\n')).toEqual([
      `${file}: line 2, column 3: schedul: unknown key, did you mean schedule?`,
      `${file}: line 4, column 20: checks.diskSpace.warnUsedPercent: 99 is above failUsedPercent (1), so it would never warn`,
      `${file}: line 4, column 65: checks.diskSpace.paths must be an array of at most 32 entries, got "/"`,
    ]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
  });

  test.each([
    ['{ "checks": ', 'not JSON: line 1, column 13: the document ends where a value is missing'],
    ['{\n  "note": "a",\n}', 'not JSON: line 2, column 14: remove this comma before "}"'],
    ['', 'not JSON: line 1, column 1: the document is empty'],
    ['{ "note": 1, "note": "a" }', 'line 1, column 14: note: duplicate key'],
    [
      '{ "schedule": "0-9999999 * * * *" }',
      'line 1, column 3: schedule: not a cron expression ("0-9999999" is not valid for minute), got "0-9999999 * * * *"',
    ],
    ['['.repeat(100_000), 'line 1, column 33: nested more than 32 levels deep'],
    ['s3cret-key', 'not JSON: line 1, column 1: expected a value; text must be in double quotes'],
  ])('validate rejects a file with one problem, case %#', async (text, problem) => {
    const file = await policyFile(text);
    expect(await cli(['policy', 'validate', file])).toEqual({
      code: 1,
      out: '',
      err: `${file}: ${problem}\n`,
    });
  });

  test('validate prints every problem of a file', async () => {
    const keys = Array.from({ length: 900 }, (_, i) => `"k${i}": ${i}`);
    const { code, err } = await cli(['policy', 'validate', await policyFile(`{${keys.join(',\n')}}`)]);
    expect(code).toBe(1);
    const lines = err.trimEnd().split('\n');
    expect(lines).toHaveLength(900);
    expect(lines.at(-1)).toContain('line 900, column 1: k899: unknown key');
  });

  test('validate prints 1,000 problems of a file with more, and their number', async () => {
    const keys = Array.from({ length: 1002 }, (_, i) => `"k${i}": ${i}`);
    const file = await policyFile(`{${keys.join(',\n')}}`);
    const { err } = await cli(['policy', 'validate', file]);
    expect(err.trimEnd().split('\n')).toMatchObject({ length: 1001, 1000: `${file}: and 2 more problems` });
  });

  test('validate names an encoding other than UTF-8', async () => {
    const file = await policyFile('');
    await writeFile(file, Buffer.from('\ufeff{}', 'utf16le'));
    expect(await cli(['policy', 'validate', file])).toEqual({
      code: 1,
      out: '',
      err: `${file}: the text is UTF-16; save it as UTF-8\n`,
    });
  });

  test('validate warns about a schedule that is faster than checks that use the network run', async () => {
    const file = await policyFile({ schedule: '* * * * * *' });
    const { code, out, err } = await cli(['policy', 'validate', file]);
    expect(err).toMatch(/: warning: Checks that use the network run at most every 30 s, .*: clockDrift, /);
    expect({ code, out }).toEqual({ code: 0, out: `${file}: a valid policy\n` });
  });

  test('schema prints a JSON Schema with every check that allows no unknown keys', async () => {
    const { code, out } = await cli(['policy', 'schema']);
    const object = z.object({
      properties: z.record(z.string(), z.unknown()),
      additionalProperties: z.literal(false),
    });
    const schema = object.extend({ $schema: z.string() }).parse(JSON.parse(out));
    expect(Object.keys(object.parse(schema.properties.checks).properties)).toEqual(
      checks.map(({ id }) => id),
    );
    expect(code).toBe(0);
  });

  test('example --json prints the built-in policy without comments', async () => {
    const { code, out } = await cli(['policy', 'example', '--json']);
    expect(code).toBe(0);
    const policy = JSON.parse(out);
    expect(policy).toMatchObject({ schedule: '*/5 * * * *', checks: { diskSpace: { warnUsedPercent: 75 } } });
    expect(readPolicy(policy, checks)).toMatchObject({ accepted: true });
  });

  test('example prints the built-in policy as a valid file', async () => {
    const { out } = await cli(['policy', 'example']);
    expect(readPolicy(parseJsonc(out).value, checks)).toEqual(readPolicy({}, checks));
    expect((await cli(['policy', 'validate', await policyFile(out)])).code).toBe(0);
  });
});

describe('validate reads a policy', () => {
  async function piped(shell: string) {
    const { child, out, err, ended } = run(
      ['sh', '-c', `${shell.replaceAll('CLI', `${process.execPath} ${bundled('cli')}`)}`],
      {},
    );
    child.stdin?.end();
    return { code: await ended, out: out(), err: err() };
  }
  const invalid = `printf '{"checks":{"diskSpice":{}}}'`;
  const problem = 'line 1, column 12: checks.diskSpice: unknown key, did you mean diskSpace?';

  test('from a pipe', async () => {
    expect(await piped(`${invalid} | CLI policy validate /dev/stdin`)).toEqual({
      code: 1,
      out: '',
      err: `/dev/stdin: ${problem}\n`,
    });
  });

  test('of standard input that is a folder exits with 2', async () => {
    expect(await piped('CLI policy validate - < /')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Could not read the policy standard input: it is a folder'),
    });
  });

  test('from standard input as -', async () => {
    expect(await piped(`${invalid} | CLI policy validate -`)).toEqual({
      code: 1,
      out: '',
      err: `standard input: ${problem}\n`,
    });
    expect(await piped('CLI policy example | CLI policy validate -')).toEqual({
      code: 0,
      out: 'standard input: a valid policy\n',
      err: '',
    });
  });

  test('of at most 1 MiB', async () => {
    expect(await piped('CLI policy validate - </dev/zero')).toEqual({
      code: 1,
      out: '',
      err: 'standard input: it is larger than 1 MiB, the limit for a policy\n',
    });
    const file = await policyFile(' '.repeat(1_048_577));
    expect(await cli(['policy', 'validate', file])).toEqual({
      code: 1,
      out: '',
      err: `${file}: it is larger than 1 MiB, the limit for a policy\n`,
    });
  });

  test('that is a folder, which cannot be read, with exit code 2', async () => {
    expect(await cli(['policy', 'validate', '/'])).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/^eflow-hardening: Could not read the policy \/: /),
    });
  });
});
