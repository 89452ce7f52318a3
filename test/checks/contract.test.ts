import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { commonReasons } from '../../src/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { Host } from '../../src/host.ts';
import { runCheck } from '../../src/run/runner.ts';
import { fakeHost } from '../support/fake-host.ts';
import { policyOf } from '../support/policies.ts';

// What every check must keep; a new one is held to it by standing in the registry.

const { signal } = new AbortController();
const defaults = policyOf({}, checks).checks;
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
// Base units of Prometheus, and plain nouns or states for what is counted or is 1 or 0.
const unit = /_(seconds|bytes|ratio|total|files|files_free|readonly|success|info|present|running|window)$/;

/** Names as a device has them, so that no check can hide behind a name that is not known. */
const names = { iothub: 'hub.test', gateway: 'gateway.test', device: 'press-7' };

test('ids are unique', () => {
  const ids = checks.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a gauge belongs to one check', () => {
  const gauges = checks.flatMap((check) => Object.keys(check.gauges ?? {}));
  expect(new Set(gauges).size).toBe(gauges.length);
});

describe.each(checks.map((check) => [check.id, check] as const))('%s', (id, check) => {
  test('has an id in camelCase, as twin keys and metric labels have it', () => {
    expect(id).toMatch(/^[a-z][a-zA-Z0-9]{1,39}$/);
  });

  test('has a title that is a sentence without a final stop', () => {
    expect(check.title).toMatch(/^[A-Z].* .*[^.!?\s]$/);
    expect(check.title.length).toBeLessThanOrEqual(80);
  });

  test('is complete with its defaults alone, which are its parameters as they stand', () => {
    const params = check.params.parse({});
    expect(check.params.parse(params)).toEqual(params);
  });

  test('refuses a parameter that it does not know', () => {
    expect(check.params.safeParse({ thresholdOfNothing: 1 }).success).toBe(false);
  });

  test('leaves the keys that every check has to the policy', () => {
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

  test('has reasons of its own, each once, beside those that all checks have', () => {
    for (const reason of check.reasons) expect(reason).toMatch(snakeCase);
    expect(new Set(check.reasons).size).toBe(check.reasons.length);
    expect(check.reasons.filter((reason) => commonReasons.some((common) => common === reason))).toEqual([]);
  });

  test('says what it needs in words, or as absolute paths', () => {
    for (const need of check.needs(check.params.parse({}))) {
      if ('path' in need) expect(need.path).toMatch(/^\/./);
      if (need.kind === 'network') expect(need.what).toMatch(/./);
      if (need.kind === 'http') expect(URL.canParse(need.url)).toBe(true);
    }
  });

  test('never passes where nothing can be looked at', async () => {
    const { findings } = await runCheck(check, defaults[id] ?? {}, blindHost(), 5, signal);
    expect(findings).not.toEqual([]);
    for (const finding of findings) {
      expect(finding.status).not.toBe('pass');
      expect(finding.message).toMatch(/./);
      expect([...check.reasons, ...commonReasons]).toContain(finding.reason);
    }
  });

  test('has a section of its own in README.md', () => {
    expect(sectionOf(id)).toBeDefined();
  });

  test('has every parameter and every reason in its section', () => {
    const section = sectionOf(id) ?? '';
    const words = [...Object.keys(check.params.parse({}) as object), ...check.reasons];
    expect(words.filter((word) => !section.includes(`\`${word}\``))).toEqual([]);
  });
});

/** The text below a check's own heading. */
const sectionOf = (id: string): string | undefined =>
  readme.split(/^#{2,4} /m).find((section) => section.split('\n', 1)[0]?.replaceAll('`', '').trim() === id);

// What a host answers without looking; everything else is looked up and can be refused.
const known = ['names', 'now', 'memory', 'memoryProblem', 'clockEvents'];

/** A host on which every look-up is refused, but for finding files, so that there is something to look at. */
const blindHost = (): Host =>
  new Proxy(
    fakeHost({
      names,
      findFiles: async () => ['/var/lib/file.pem'],
      memoryProblem: () => ({ kind: 'absent', message: 'There is no state folder' }),
      clockEvents: () => [],
    }),
    {
      get: (target, key: keyof Host) =>
        [...known, 'findFiles'].includes(key)
          ? target[key]
          : () => Promise.reject(new Error(`${key} is refused`)),
    },
  );
