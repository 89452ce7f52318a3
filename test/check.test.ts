import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commonReasons, defineCheck } from '../src/check.ts';
import { checks } from '../src/checks/index.ts';
import { probeFailures } from '../src/host/network/types.ts';
import { sourcesIn } from './support/imports.ts';

// A mistake that compiles fails here: tsc reports an expected error that is not there.
describe('what does not compile', () => {
  const subjects = () => [{ target: 'one' }];
  const base = {
    id: 'fake',
    title: 'The thing is right',
    params: z.strictObject({}),
    needs: () => [],
    subjects,
  };

  test('a check without a reason of a host method it uses', () => {
    defineCheck({
      ...base,
      uses: ['filesystem'],
      // @ts-expect-error: mount_stuck is missing.
      reasons: ['broken'],
      examine: async () => ({ status: 'pass', message: 'It is right' }),
    });
    defineCheck({
      ...base,
      uses: ['filesystem'],
      reasons: ['broken', 'mount_stuck'],
      examine: async () => ({ status: 'pass', message: 'It is right' }),
    });
  });

  test('a host method that the check does not list', () => {
    defineCheck({
      ...base,
      uses: ['lookUp'],
      reasons: ['refused', 'server_failed'],
      async examine(_subject, _params, host, signal) {
        // @ts-expect-error: `filesystem` is not listed.
        await host.filesystem('/', signal);
        return { status: 'pass', message: 'It is right' };
      },
    });
  });

  test('a reason that the check does not declare', () => {
    defineCheck({
      ...base,
      uses: [],
      reasons: ['broken'],
      // @ts-expect-error: it is `broken`.
      examine: async () => ({ status: 'fail', reason: 'brokn', message: 'It is broken', remedy: 'Mend it' }),
    });
  });

  test('a reading of a gauge that is misspelt', () => {
    const gauges = { thing_bytes: { help: 'Size of the thing.', labels: ['target'] } };
    defineCheck({
      ...base,
      uses: [],
      reasons: [],
      gauges,
      // @ts-expect-error: it is `thing_bytes`.
      examine: async () => ({
        status: 'pass',
        message: 'It is right',
        readings: [{ gauge: 'thing_byte', value: 1 }],
      }),
    });
  });

  test('parameters that are not an object schema', () => {
    defineCheck({
      ...base,
      // @ts-expect-error: a transform has no keys that a policy could name.
      params: z.strictObject({}).transform(() => 1),
      uses: [],
      reasons: [],
      examine: async () => ({ status: 'pass', message: 'It is right' }),
    });
  });
});

const sources = await sourcesIn('src');

describe('a reason that is thrown', () => {
  const thrown = (folder: string) =>
    sources
      .filter(({ path }) => path.startsWith(folder))
      .flatMap(({ text }) =>
        [...text.matchAll(/new CannotTell\(\s*'(\w+)'/g)].map(([, reason = '']) => reason),
      );
  const undeclared = (folder: string, declared: readonly string[]) =>
    [...new Set(thrown(folder))].filter((reason) => ![...commonReasons, ...declared].includes(reason));

  test.each(['agent', 'certificates', 'clock', 'disk', 'network'])(
    'in checks/%s is declared there',
    (subject) => {
      const own = sources
        .filter(({ path }) => path.startsWith(`src/checks/${subject}/`))
        .map(({ text }) => text);
      const declared = checks.filter(({ id }) => own.some((text) => text.includes(`id: '${id}'`)));
      expect(declared).not.toEqual([]);
      expect(
        undeclared(
          `src/checks/${subject}/`,
          declared.flatMap(({ reasons }) => reasons),
        ),
      ).toEqual([]);
    },
  );

  // The network and TLS rooms speak of what keeps a probe from its target; the rooms above them translate that.
  test.each([
    ['network', probeFailures],
    ['tls', probeFailures],
    ['certificates', ['unreachable']],
    ['clock', []],
    ['disk', ['mount_stuck']],
    ['edge', []],
    ['files', []],
  ])('in host/%s is one that its methods declare', (subject, declared) => {
    expect(undeclared(`src/host/${subject}/`, declared)).toEqual([]);
  });

  test('in the parts that checks share is a common one', () => {
    expect(undeclared('src/checks/params/', [])).toEqual([]);
  });
});
