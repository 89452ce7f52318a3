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
  expect(code).toBe(0);
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

  test('validate prints one line for each problem of an invalid policy', async () => {
    const file = await policyFile({
      schedul: '',
      checks: { diskSpace: { warnUsedPercent: 99, failUsedPercent: 1 } },
    });
    const { code, out, err } = await cli(['policy', 'validate', file]);
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringContaining(`${file}: `),
      expect.stringContaining(`${file}: `),
    ]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
  });

  test('validate rejects a file that is not JSON', async () => {
    const { code, err } = await cli(['policy', 'validate', await policyFile('{ "checks": ')]);
    expect(err).toContain('JSON');
    expect(code).toBe(1);
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

  test('example prints the built-in policy as a valid file', async () => {
    const { out } = await cli(['policy', 'example']);
    expect(readPolicy(parseJsonc(out), checks)).toEqual(readPolicy({}, checks));
    expect((await cli(['policy', 'validate', await policyFile(out)])).code).toBe(0);
  });
});

test('validate reads a policy from a pipe', async () => {
  const command = `printf '{"checks":{"diskSpice":{}}}' | ${process.execPath} ${bundled('cli')} policy validate /dev/stdin`;
  const { child, err, ended } = run(['sh', '-c', command], {});
  child.stdin?.end();
  expect(await ended).toBe(1);
  expect(err()).toContain('checks.diskSpice: unknown key, did you mean diskSpace?');
});
