import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type Check, commonReasons } from '../../src/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { Host } from '../../src/host.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { worstFirst } from '../../src/run/report.ts';
import { type Finding, runCheck } from '../../src/run/runner.ts';
import { fakeHost, memoryOf } from '../support/fixtures/fake-host.ts';
import { policyOf } from '../support/fixtures/policies.ts';
import { findSamples, sampleNames, sampleNow } from '../support/fixtures/samples.ts';

// The rules for every check. They apply to each check in the registry, including new ones.

const { signal } = new AbortController();
const defaults = policyOf({}, checks).checks;
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
// Base units of Prometheus, and nouns or states for counts and booleans.
const unit =
  /_(seconds|bytes|ratio|total|files|files_free|readonly|success|info|present|running|window|dropped|length|connected|failures)$/;

/** All names of a device, so that no check returns early because a name is missing. */
const names = { iothub: 'hub.test', gateway: 'gateway.test', device: 'press-7' };

const samples = await findSamples();

test('ids are unique', () => {
  const ids = checks.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every gauge belongs to only one check', () => {
  const gauges = checks.flatMap((check) => Object.keys(check.gauges ?? {}));
  expect(new Set(gauges).size).toBe(gauges.length);
});

describe.each(checks.map((check) => [check.id, check] as const))('%s', (id, check) => {
  test('has an id in camelCase, valid as a twin key and a metric label', () => {
    expect(id).toMatch(/^[a-z][a-zA-Z0-9]{1,39}$/);
  });

  test('has a title that is a sentence without a full stop', () => {
    expect(check.title).toMatch(/^[A-Z].* .*[^.!?\s]$/);
    expect(check.title.length).toBeLessThanOrEqual(80);
  });

  test('has defaults that are complete and valid parameters', () => {
    const params = check.params.parse({});
    expect(check.params.parse(params)).toEqual(params);
  });

  test('rejects an unknown parameter', () => {
    expect(check.params.safeParse({ thresholdOfNothing: 1 }).success).toBe(false);
  });

  test('does not define the parameters that the policy adds to every check', () => {
    expect(check.params.safeParse({ enabled: true }).success).toBe(false);
    expect(check.params.safeParse({ schedule: '* * * * *' }).success).toBe(false);
  });

  test('has gauges with a unit, help and labels', () => {
    for (const [name, { help, labels }] of Object.entries(check.gauges ?? {})) {
      expect(name).toMatch(snakeCase);
      expect(name).toMatch(unit);
      expect(help).toMatch(/^[A-Z0-9].*\.$/s);
      for (const label of labels) expect(label).toMatch(snakeCase);
      expect(new Set(labels).size).toBe(labels.length);
    }
  });

  test('has unique reasons that differ from the common ones', () => {
    for (const reason of check.reasons) expect(reason).toMatch(snakeCase);
    expect(new Set(check.reasons).size).toBe(check.reasons.length);
    expect(check.reasons.filter((reason) => commonReasons.some((common) => common === reason))).toEqual([]);
  });

  test('states its needs as absolute paths, URLs or descriptions', () => {
    for (const need of check.needs(check.params.parse({}))) {
      if ('path' in need) expect(need.path).toMatch(/^\/./);
      if (need.kind === 'network') expect(need.what).toMatch(/./);
      if (need.kind === 'http') expect(URL.canParse(need.url)).toBe(true);
    }
  });

  test('rejects contradicting thresholds', () => {
    const params: Readonly<Record<string, unknown>> = check.params.parse({});
    for (const [warn, fail] of thresholdPairs(params)) {
      // The two values are swapped.
      const document = { checks: { [id]: { [warn]: params[fail], [fail]: params[warn] } } };
      const outcome = readPolicy(document, checks);
      const problems = outcome.accepted ? [] : outcome.problems;
      expect(problems).toEqual([expect.stringMatching(new RegExp(`^checks\\.${id}\\.${warn}: .*${fail}`))]);
    }
  });

  test('passes on the good device of its sample and sets every gauge', async () => {
    const findings = await examined(sampleOf(id).good);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const gauges = findings.flatMap(({ readings = [] }) => readings.map(({ gauge }) => gauge));
    expect([...new Set(gauges)].sort()).toEqual(Object.keys(check.gauges ?? {}).sort());
  });

  test('reports the problem and a remedy on the bad device of its sample', async () => {
    const { status, reason, ...given } = sampleOf(id).bad;
    const [worst] = worstFirst(await examined(given));
    expect(worst).toMatchObject({ status, reason });
    expect(worst?.message).toMatch(/^\S.*[^.\s]$/);
    expect(worst?.remedy).toMatch(/^[A-Z`].{10,}/);
    expect([...check.reasons, ...commonReasons]).toContain(worst?.reason);
  });

  test('has counters with a unit, help and a total', () => {
    for (const [name, { help, total }] of Object.entries(check.counters ?? {})) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*_total$/);
      expect(help).toMatch(/^[A-Z0-9].*\.$/s);
      expect(total(sampleHost(sampleOf(id).good.host))).toBeGreaterThanOrEqual(0);
    }
  });

  test('calls only the host methods that it lists', async () => {
    const { good, bad } = sampleOf(id);
    for (const given of [good, bad]) {
      const listed = Object.entries(given.host).filter(([key]) =>
        check.uses.some((method) => method === key),
      );
      const host = sampleHost(Object.fromEntries(listed));
      const { findings } = await runCheck(check, paramsOf(check, given.policy), host, 5, signal);
      expect(findings.filter(({ reason }) => reason === 'internal_error')).toEqual([]);
    }
  });

  async function examined(given: {
    readonly host: Partial<Host>;
    readonly policy?: object;
  }): Promise<readonly Finding[]> {
    const params = paramsOf(check, given.policy);
    return (await runCheck(check, params, sampleHost(given.host), 5, signal)).findings;
  }

  test('never passes when every host method fails', async () => {
    const { findings } = await runCheck(check, defaults[id] ?? {}, failingHost(), 5, signal);
    expect(findings).not.toEqual([]);
    for (const finding of findings) {
      expect(finding.status).not.toBe('pass');
      expect(finding.message).toMatch(/./);
      expect([...check.reasons, ...commonReasons]).toContain(finding.reason);
    }
  });

  test('has a section in README.md', () => {
    expect(sectionOf(id)).toBeDefined();
  });

  test('documents every parameter and every reason in its section', () => {
    const section = sectionOf(id) ?? '';
    const words = [...Object.keys(check.params.parse({}) as object), ...check.reasons];
    expect(words.filter((word) => !section.includes(`\`${word}\``))).toEqual([]);
  });
});

function sampleOf(id: string) {
  const sample = samples.get(id);
  if (!sample)
    throw new Error(`Write a sample for ${id} next to its test: test/checks/<subject>/<check>.sample.ts`);
  return sample;
}

const sampleHost = (given: Partial<Host>): Host =>
  fakeHost({ now: () => sampleNow, names: sampleNames, ...given });

const paramsOf = ({ params }: Check, policy: object = {}) => params.parse(policy);

/** Pairs of parameters such as `warnDays` and `failDays`. */
const thresholdPairs = (params: object): [warn: string, fail: string][] =>
  Object.keys(params).flatMap((warn): [string, string][] => {
    const fail = warn.replace(/^warn(?=[A-Z])/, 'fail').replace(/Warn(?=[A-Z])/, 'Fail');
    return fail !== warn && fail in params ? [[warn, fail]] : [];
  });

/** The text below a check's heading. */
const sectionOf = (id: string): string | undefined =>
  readme.split(/^#{2,4} /m).find((section) => section.split('\n', 1)[0]?.replaceAll('`', '').trim() === id);

// Host methods that do not access the machine. All others can fail.
const localMethods = [
  'names',
  'now',
  'memory',
  'alerts',
  'memoryProblem',
  'clockEvents',
  'hubLink',
  'watchHub',
  'policyOutcome',
];

/** A host on which everything fails except findFiles, so that there is something to examine. */
const failingHost = (): Host =>
  new Proxy(
    fakeHost({
      names,
      findFiles: async () => ['/var/lib/file.pem'],
      memory: memoryOf(() => []),
      alerts: () => ({ source: 'hardening/alerts' }),
      memoryProblem: () => ({ kind: 'absent', message: 'There is no state folder' }),
      clockEvents: () => [],
      hubLink: () => undefined,
      watchHub: () => {},
      policyOutcome: () => ({ source: 'file', version: 0, accepted: false, problems: [], exceptions: [] }),
    }),
    {
      get: (target, key: keyof Host) =>
        [...localMethods, 'findFiles'].includes(key)
          ? target[key]
          : () => Promise.reject(new Error(`${key} fails`)),
    },
  );
