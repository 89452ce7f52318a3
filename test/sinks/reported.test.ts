import { describe, expect, test } from 'vitest';
import { limitProblems } from '../../src/hub/limits.ts';
import type { PolicyInForce } from '../../src/policy/in-force.ts';
import type { Report } from '../../src/run/report.ts';
import { type Reported, reportedProperties } from '../../src/sinks/reported.ts';
import {
  checkReport,
  finding,
  findingWithStatus,
  inForce,
  reportOf,
  sampleReport,
} from '../support/fixtures/sample-report.ts';

const heartbeat = '2026-11-21T20:00:00.000Z';

const reported = (report: Report, policy: PolicyInForce = inForce(), previous?: Reported): Reported =>
  reportedProperties(report, policy, true, heartbeat, previous);

const disk = (...findings: Parameters<typeof checkReport>[1]) =>
  reportOf({ diskSpace: checkReport('Space', findings) });

const included = ({ checks = {} }: Reported) => Object.values(checks).flatMap(({ findings }) => findings);

const atMost = (maxFindings: number): PolicyInForce => {
  const { policy } = inForce();
  return inForce({ policy: { ...policy, report: { ...policy.report, maxFindings } } });
};

/** Violations of IoT Hub's limits. */
const problems = (properties: Reported) => limitProblems({ ...properties });

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('the reported properties contain', () => {
  test('every check with its status and its problems, without readings', () => {
    const { checks, summary } = reported(sampleReport);
    expect(Object.keys(checks ?? {})).toEqual(Object.keys(sampleReport.checks));
    expect(checks?.clockDrift).toEqual({ status: 'pass', since: '2026-11-21T18:00:00.000Z', findings: [] });
    expect(checks?.outboundReachability?.findings).toEqual([
      {
        target: 'https://mcr.microsoft.com/v2/',
        status: 'fail',
        reason: 'refused',
        message: 'mcr.microsoft.com:443 refused the connection (ECONNREFUSED), after 0.02 s',
        remedy: 'See that a service listens there: `curl -v telnet://mcr.microsoft.com:443`.',
        controls: ['CIS Docker 1.6 5.4', 'CIS Docker 1.6 5.5'],
        since: '2026-11-21T18:00:00.000Z',
      },
    ]);
    expect(summary).toEqual({
      status: 'fail',
      pass: 1,
      warn: 1,
      fail: 1,
      unknown: 1,
      skip: 0,
      problems: 2,
      pending: [],
      findingsLeftOut: 0,
    });
  });

  test('only agent and policy before every check has run', () => {
    const partial = reportedProperties(sampleReport, inForce(), false, heartbeat, undefined);
    expect(Object.keys(partial)).toEqual(['agent', 'policy']);
  });

  test('the worst findings of all checks, and the number left out', () => {
    const report = reportOf({
      diskSpace: checkReport('Space', [findingWithStatus('unknown', 'a'), findingWithStatus('warn', 'b')]),
      clockDrift: checkReport('Clock', [findingWithStatus('warn', 'c'), findingWithStatus('fail', 'd')]),
    });
    const two = reported(report, atMost(2));
    expect(two.checks?.diskSpace?.findings.map(({ target }) => target)).toEqual(['b']);
    expect(two.checks?.clockDrift?.findings.map(({ target }) => target)).toEqual(['d']);
    expect(two.summary).toMatchObject({ status: 'fail', fail: 1, findingsLeftOut: 2 });

    const all = reported(report, atMost(20));
    expect(all.checks?.clockDrift?.findings.map(({ target }) => target)).toEqual(['d', 'c']);
    expect(all.summary?.findingsLeftOut).toBe(0);
  });
});

describe("IoT Hub's limits", () => {
  const hostile = 'C:\\a.b $c #d\u0000\n"quoted" {iothub}/..';

  test('any target is allowed, because it is a value and never a key', () => {
    const properties = reported(disk(findingWithStatus('fail', hostile)));
    expect(problems(properties)).toEqual([]);
    expect(included(properties)[0]?.target).toBe(hostile);
  });

  test('long texts are clipped to the length of a string, without splitting characters', () => {
    const long = '\u{1F4BE}'.repeat(3000);
    const odd = `x${long}`;
    const properties = reported(
      disk(finding({ target: odd, status: 'fail', reason: 'space_low', message: long, remedy: odd })),
      inForce({ accepted: false, problems: [odd] }),
    );
    expect(problems(properties)).toEqual([]);
    const [first] = included(properties);
    for (const text of [first?.target, first?.message, first?.remedy, properties.policy.ad]) {
      expect(text).toMatch(/\u{1F4BE}\.\.\.$/u);
      expect(text?.length).toBeLessThanOrEqual(900);
    }
  });

  test.each([
    ['short', 'x'],
    ['long', 'x'.repeat(5000)],
    ['many-byte', '\u20ac'.repeat(5000)],
  ])('100 findings with %s texts stay below 16 KB, and the number left out is reported', (_, message) => {
    const findings = Array.from({ length: 100 }, (_, i) => ({
      ...findingWithStatus(i === 99 ? 'fail' : 'warn', `/mnt/${i}`),
      message,
      remedy: message,
    }));
    const document = { exceptions: Array.from({ length: 25 }, () => ({ because: 'b'.repeat(300) })) };
    const properties = reported(disk(...findings), { ...atMost(100), document });
    expect(properties.policy.value).toEqual(document);
    expect(problems(properties)).toEqual([]);
    expect(bytes(properties)).toBeLessThanOrEqual(16_384);
    expect(included(properties)[0]?.target).toBe('/mnt/99');
    expect(included(properties).length).toBeLessThan(100);
    expect(properties.summary?.findingsLeftOut).toBe(100 - included(properties).length);
  });
});

describe('texts', () => {
  const hot = (change: Parameters<typeof finding>[0] = {}) =>
    disk(
      finding({
        status: 'warn',
        reason: 'space_low',
        message: 'Used 76.0 %',
        remedy: 'Make room',
        ...change,
      }),
    );
  const before = reported(hot());

  test('stay the same while only a number drifts', () => {
    expect(reported(hot({ message: 'Used 76.1 %' }), inForce(), before)).toEqual(before);
  });

  test.each([
    ['status', { status: 'fail' as const }],
    ['reason', { reason: 'inodes_low' }],
    ['since', { since: '2026-11-21T20:29:00.000Z' }],
    ['target', { target: '/data' }],
  ])('are updated when the %s changes', (_, change) => {
    const after = reported(hot({ ...change, message: 'Used 76.1 %' }), inForce(), before);
    expect(included(after)[0]?.message).toBe('Used 76.1 %');
  });

  test('are updated when a finding is added', () => {
    const more = disk(
      ...(hot({ message: 'Used 76.1 %' }).checks.diskSpace?.findings ?? []),
      findingWithStatus('warn', '/data'),
    );
    expect(included(reported(more, inForce(), before)).map(({ message }) => message)).toContain(
      'Used 76.1 %',
    );
  });

  test('are current when there are no earlier properties', () => {
    expect(included(reported(hot({ message: 'Used 76.1 %' })))[0]?.message).toBe('Used 76.1 %');
  });
});

describe('the acknowledgement of the policy', () => {
  const document = { note: 'ours' };
  test.each<[string, Partial<PolicyInForce>, Reported['policy']]>([
    ['from the twin', { source: 'twin' }, { value: document, ac: 200, av: 7, ad: 'In force' }],
    ['saved', { source: 'saved' }, { value: document, ac: 200, av: 7, ad: 'In force' }],
    [
      'from a file',
      { source: 'file', version: 0 },
      { value: document, ac: 203, av: 0, ad: "No desired policy, using the device's policy file" },
    ],
    [
      'built in',
      { source: 'default', version: 0, document: {} },
      { value: {}, ac: 203, av: 0, ad: 'No desired policy, using the built-in defaults' },
    ],
    [
      'rejected',
      { accepted: false, version: 8, problems: ['checks.diskSpace.warn: unknown key', 'schedule: bad'] },
      {
        value: document,
        ac: 400,
        av: 8,
        ad: 'Rejected, the previous policy stays in force: checks.diskSpace.warn: unknown key; schedule: bad',
      },
    ],
    [
      'too long to include',
      { document: { note: 'n'.repeat(9000) } },
      { value: {}, ac: 200, av: 7, ad: 'In force (too long to include here)' },
    ],
    [
      'with warnings',
      { source: 'twin', warnings: ['Unknown desired properties are ignored: polcy', 'And more'] },
      {
        value: document,
        ac: 200,
        av: 7,
        ad: 'In force. Unknown desired properties are ignored: polcy. And more',
      },
    ],
    [
      'with a warning beside a misspelt policy',
      { source: 'default', version: 0, document: {}, warnings: ['Unknown'] },
      { value: {}, ac: 203, av: 0, ad: 'No desired policy, using the built-in defaults. Unknown' },
    ],
    [
      'with more problems than fit, which do not hide a warning',
      { accepted: false, problems: ['x'.repeat(1000)], warnings: ['Unknown'] },
      { value: document, ac: 400, av: 7, ad: expect.stringMatching(/^Rejected, .*xxx\.\.\.\. Unknown$/) },
    ],
  ])('%s', (_, change, expected) => {
    expect(reported(sampleReport, inForce({ document, ...change })).policy).toEqual(expected);
  });
});
