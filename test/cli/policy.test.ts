import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checks } from '../../src/checks/index.ts';
import { parseJsonc } from '../../src/policy/jsonc.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { bundled, run } from '../support/bundle.ts';
import { cli, policyFile } from '../support/cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('list prints every check, what it needs and whether that is given', async () => {
  const root = await tempFolder();
  const given = await policyFile({ checks: { certificateExpiry: { files: [`${root}/*`, '/nowhere/*'] } } });
  const { code, out } = await cli(['list', '--policy', given]);
  for (const { id, title } of checks) expect(out).toContain(`${id}\n    ${title}\n`);
  expect(out).toContain(`needs to read ${root}: given`);
  expect(out).toContain('needs to read /nowhere: not given');
  expect(out).toContain('needs the network: UDP (NTP) to time.windows.com');
  expect(code).toBe(0);
});

describe('policy', () => {
  test('validate takes a good one, comments included', async () => {
    const file = await policyFile('// ours\n{ "checks": { "diskSpace": { "paths": ["/"] } } }');
    expect(await cli(['policy', 'validate', file])).toEqual({
      code: 0,
      out: `${file}: a valid policy\n`,
      err: '',
    });
  });

  test('validate prints every problem of a bad one, a line each', async () => {
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

  test('validate takes a file that is no JSON for a bad one', async () => {
    const { code, err } = await cli(['policy', 'validate', await policyFile('{ "checks": ')]);
    expect(err).toContain('JSON');
    expect(code).toBe(1);
  });

  test('schema prints a JSON Schema with every check and no unknown keys', async () => {
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

  test('example prints what the built-in policy says, as a file that is valid', async () => {
    const { out } = await cli(['policy', 'example']);
    expect(readPolicy(parseJsonc(out), checks)).toEqual(readPolicy({}, checks));
    expect((await cli(['policy', 'validate', await policyFile(out)])).code).toBe(0);
  });
});

test('a policy may come out of a pipe', async () => {
  const command = `printf '{"checks":{"diskSpice":{}}}' | ${process.execPath} ${bundled('cli')} policy validate /dev/stdin`;
  const { child, err, ended } = run(['sh', '-c', command], {});
  child.stdin?.end();
  expect(await ended).toBe(1);
  expect(err()).toContain('checks.diskSpice: unknown key, did you mean diskSpace?');
});
