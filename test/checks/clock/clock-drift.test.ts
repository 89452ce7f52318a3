import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { clockDrift } from '../../../src/checks/clock/clock-drift.ts';
import type { ClockEvent, TimeSample } from '../../../src/host/clock/types.ts';
import type { Host } from '../../../src/host.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

/** What a source says: offset and error in seconds, or why it says nothing. */
type Says = readonly [number, number] | Error;

const unreachable = new CannotTell(
  'not_found',
  'chronyd at 127.0.0.1:323 did not answer: nothing listens there',
);

/** A machine to which nothing has happened, beside what the test says. */
const machine = (given: Partial<Host>): Host =>
  fakeHost({ clockEvents: () => [], hypervClock: async () => undefined, ...given });

/** Examines a clock whose sources say this; names that begin with https:// are asked for their Date. */
function examine(sources: Readonly<Record<string, Says>>, policy: object = {}, given: Partial<Host> = {}) {
  const say = async (name: string): Promise<TimeSample> => {
    const said = sources[name];
    if (said === undefined) throw new Error(`this test has no source ${name}`);
    if (said instanceof Error) throw said;
    const [offsetSeconds, errorSeconds] = said;
    return { offsetSeconds, errorSeconds };
  };
  const names = Object.keys(sources).filter((name) => name !== 'chrony');
  const params = clockDrift.params.parse({
    servers: names.filter((name) => !name.startsWith('https:')),
    https: names.filter((name) => name.startsWith('https:')),
    chrony: 'chrony' in sources ? '127.0.0.1:323' : null,
    ...policy,
  });
  const host = machine({ sntp: say, httpDate: say, chrony: () => say('chrony'), ...given });
  return clockDrift.examine({ target: 'clock' }, params, host, unsignalled());
}

const unsignalled = () => new AbortController().signal;

describe('one source', () => {
  test.each<[number, number, string]>([
    [0, 0.01, 'pass'],
    [9.9, 0, 'pass'],
    [10, 0, 'warn'],
    [-10, 0, 'warn'],
    [299.9, 0, 'warn'],
    [300, 0, 'fail'],
    [-3600, 0.02, 'fail'],
    [10.4, 0.5, 'pass'],
    [-10.4, 0.5, 'pass'],
    [10.6, 0.5, 'warn'],
    [300.4, 0.5, 'warn'],
    [12, 15, 'pass'],
  ])('that puts the clock at %d s (± %d s) makes it a %s', async (offset, error, status) => {
    await expect(examine({ 'a.test': [offset, error] })).resolves.toMatchObject({ status });
  });

  test('that is right is reported with its bound', async () => {
    await expect(examine({ 'a.test': [-0.2, 0.1] })).resolves.toMatchObject({
      message: 'The clock is off by at most 0.300 s, according to a.test',
    });
  });

  test.each([
    [90, 'The clock is 90.0 s ahead (± 0.050 s), according to a.test'],
    [-90, 'The clock is 90.0 s behind (± 0.050 s), according to a.test'],
    [-12_600, 'The clock is 12600 s (3.5 h) behind (± 0.050 s), according to a.test'],
    [31_536_000, 'The clock is 31536000 s (365.0 days) ahead (± 0.050 s), according to a.test'],
  ])('that puts the clock at %d s says how far and which way', async (offset, message) => {
    await expect(examine({ 'a.test': [offset, 0.05] })).resolves.toMatchObject({
      reason: 'drifted',
      message,
      remedy: expect.stringContaining('chronyc makestep'),
    });
  });
});

describe('several sources', () => {
  test('are believed where they overlap, and each has its readings', async () => {
    const verdict = await examine({
      'a.test': [90, 1],
      'https://b.test/': [90.5, 1],
      chrony: [90.1, 0.25],
    });
    expect(verdict).toEqual({
      status: 'warn',
      reason: 'drifted',
      message: 'The clock is 90.1 s ahead (± 0.250 s), according to a.test, https://b.test/ and chrony',
      remedy: expect.any(String),
      readings: [
        ['clock_offset_seconds', 'a.test', 90],
        ['clock_offset_error_seconds', 'a.test', 1],
        ['clock_offset_seconds', 'https://b.test/', 90.5],
        ['clock_offset_error_seconds', 'https://b.test/', 1],
        ['clock_offset_seconds', 'chrony', 90.1],
        ['clock_offset_error_seconds', 'chrony', 0.25],
      ].map(([gauge, source, value]) => ({ gauge, labels: { source }, value })),
    });
  });

  test('outvote a lone liar, who is named', async () => {
    await expect(
      examine({ 'a.test': [0, 0.1], 'liar.test': [-5000, 0.1], chrony: [0.05, 0.1] }),
    ).resolves.toMatchObject({
      status: 'pass',
      message:
        'The clock is off by at most 0.100 s, according to a.test and chrony; ' +
        'liar.test says 5000 s behind (± 0.100 s), which is outvoted',
    });
  });

  test('that are one server under two names have one vote', async () => {
    const liar = { offsetSeconds: 5000, errorSeconds: 0.1, origin: '192.0.2.66:123' };
    const sntp = async (name: string): Promise<TimeSample> =>
      name === 'good.test' ? { offsetSeconds: 0, errorSeconds: 0.1, origin: '192.0.2.1:123' } : liar;
    const judged = examine({ 'good.test': [0, 0], 'liar.test': [0, 0], 'alias.test': [0, 0] }, {}, { sntp });
    await expect(judged).rejects.toMatchObject({
      reason: 'sources_disagree',
      message: expect.stringContaining(
        'alias.test is the same server as liar.test and has no vote of its own',
      ),
    });
  });

  test('that cannot outvote each other give no verdict, but what each one said', async () => {
    await expect(examine({ 'a.test': [0, 0.1], 'b.test': [400, 0.1] })).rejects.toMatchObject({
      reason: 'sources_disagree',
      message:
        'No majority of the time sources agrees: a.test says less than 0.001 s ahead (± 0.100 s); ' +
        'b.test says 400 s ahead (± 0.100 s)',
    });
  });

  test.each<[string, Says, Says, string]>([
    ['both far off', [400, 1], [500, 1], 'fail'],
    ['off in opposite directions', [400, 1], [-500, 1], 'fail'],
    ['one worse than the other', [20, 1], [500, 1], 'warn'],
  ])('that disagree, %s, leave it that the clock is wrong', async (_what, a, b, status) => {
    await expect(examine({ 'a.test': a, 'b.test': b })).resolves.toMatchObject({
      status,
      reason: 'drifted',
      message: expect.stringContaining('whichever of its sources is right: a.test says'),
    });
  });

  test('of which one fails are judged by the rest, and the failure is reported', async () => {
    const kiss = new CannotTell('unreadable', 'b.test (192.0.2.1) refused with kiss code RATE (stratum 0)');
    await expect(examine({ 'a.test': [0.5, 0.1], 'b.test': kiss })).resolves.toMatchObject({
      status: 'pass',
      message:
        'The clock is off by at most 0.600 s, according to a.test; ' +
        'b.test (192.0.2.1) refused with kiss code RATE (stratum 0)',
    });
  });

  test('named twice vote once', async () => {
    const twice = { servers: ['a.test', 'a.test', 'b.test'] };
    const asked = examine({ 'a.test': [0, 0.1], 'b.test': [400, 0.1] }, twice);
    await expect(asked).rejects.toMatchObject({ reason: 'sources_disagree' });
  });
});

describe('an unreachable chronyd', () => {
  test('is not worth a word while another source answers', async () => {
    await expect(examine({ 'a.test': [0, 0.1], chrony: unreachable })).resolves.toMatchObject({
      message: 'The clock is off by at most 0.100 s, according to a.test',
    });
  });

  test('is named when no source answers', async () => {
    const silent = new CannotTell('dns_failed', 'a.test does not resolve:\nno such name');
    await expect(examine({ 'a.test': silent, chrony: unreachable })).rejects.toMatchObject({
      reason: 'no_source',
      message:
        'No time source answered: a.test does not resolve: no such name; ' +
        'chronyd at 127.0.0.1:323 did not answer: nothing listens there',
      cause: expect.any(AggregateError),
    });
  });

  test('is distinguished from one that answers but has no source', async () => {
    const unsynchronised = new CannotTell('unreadable', 'chronyd at 127.0.0.1:323 is not synchronised');
    await expect(examine({ 'a.test': [0, 0.1], chrony: unsynchronised })).resolves.toMatchObject({
      message: expect.stringContaining('chronyd at 127.0.0.1:323 is not synchronised'),
    });
  });
});

describe('time', () => {
  const silence = (_name: string, signal: AbortSignal) =>
    new Promise<TimeSample>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  const right = async () => ({ offsetSeconds: 60, errorSeconds: 0.1 });
  const half = machine({ sntp: (name, signal) => (name === 'a.test' ? right() : silence(name, signal)) });
  const params = clockDrift.params.parse({ servers: ['a.test', 'silent.test'], chrony: null });
  const run = (host: Host, seconds: number) => runCheck(clockDrift, params, host, seconds, unsignalled());

  test('for one source is shorter than for the whole, so a silent one does not cost the verdict', async () => {
    await expect(run(half, 20)).resolves.toMatchObject({
      findings: [
        {
          status: 'warn',
          message:
            'The clock is 60.0 s ahead (± 0.100 s), according to a.test; silent.test: No answer within 5 s',
        },
      ],
    });
  });

  test('that the policy makes shorter still leaves the word to those that have answered', async () => {
    await expect(run(half, 0.05)).resolves.toMatchObject({
      findings: [
        { status: 'warn', message: expect.stringContaining('silent.test: No answer within 0.05 s') },
      ],
    });
  });

  test('that runs out before anybody has answered leaves no source', async () => {
    await expect(run(machine({ sntp: silence }), 0.05)).resolves.toMatchObject({
      findings: [{ status: 'unknown', reason: 'no_source' }],
    });
  });

  test('that runs out because everything stops ends it with the reason for that', async () => {
    const reason = new Error('stopping');
    const stopping = new AbortController();
    const host = machine({ sntp: silence });
    const verdict = clockDrift.examine({ target: 'clock' }, params, host, stopping.signal);
    stopping.abort(reason);
    await expect(verdict).rejects.toBe(reason);
  });
});

describe('what happened to the clock', () => {
  const noSource = new CannotTell('not_found', 'a.test did not answer');
  const stepped = (seconds: number, secondsAgo = 120): ClockEvent => ({
    kind: 'stepped',
    seconds,
    secondsAgo,
  });
  const slept = (seconds: number, secondsAgo = 120): ClockEvent => ({
    kind: 'suspended',
    seconds,
    secondsAgo,
  });
  const on = (says: Says, ...events: ClockEvent[]) =>
    examine({ 'a.test': says }, {}, { clockEvents: () => events });

  test.each<[string, Says, ClockEvent[], object]>([
    [
      'a step of a clock that is right now',
      [0, 0.1],
      [stepped(3600)],
      {
        status: 'warn',
        reason: 'stepped',
        message:
          'The clock was set 3600 s ahead 120 s ago; it is now off by at most 0.100 s, according to a.test',
      },
    ],
    ['a step within the limits', [0, 0.1], [stepped(9.9)], { status: 'pass' }],
    ['a step of eleven minutes ago', [0, 0.1], [stepped(3600, 660)], { status: 'pass' }],
    [
      'a step away from the right time',
      [-90, 0.1],
      [stepped(-90)],
      {
        status: 'warn',
        reason: 'drifted',
        message:
          'The clock is 90.0 s behind (± 0.100 s), according to a.test; the clock was set 90.0 s back 120 s ago',
      },
    ],
    [
      'a step that no source confirms',
      noSource,
      [stepped(-90)],
      {
        status: 'warn',
        reason: 'stepped',
        message:
          'The clock was set 90.0 s back 120 s ago, and no time source has confirmed the clock since: ' +
          'No time source answered: a.test did not answer',
      },
    ],
    ['sleep, when a source calls the clock right', [0, 0.1], [slept(28_800)], { status: 'pass' }],
    [
      'sleep, while no source answers',
      noSource,
      [slept(28_800)],
      {
        status: 'warn',
        reason: 'suspended',
        message: expect.stringMatching(
          /^The machine slept for 28800 s \(8\.0 h\) until 120 s ago, and no time source/,
        ),
      },
    ],
    [
      'sleep that left the clock behind',
      [-28_800, 0.1],
      [slept(28_800)],
      {
        status: 'fail',
        reason: 'drifted',
        message: expect.stringMatching(/; the machine slept for 28800 s \(8\.0 h\) until 120 s ago$/),
      },
    ],
    ['the correction after sleep', [0, 0.1], [slept(28_800), stepped(28_700)], { status: 'pass' }],
    [
      'a step some time before sleep',
      [0, 0.1],
      [stepped(60, 500), slept(3600)],
      { status: 'warn', reason: 'stepped' },
    ],
  ])('%s', async (_what, says, events, verdict) => {
    await expect(on(says, ...events)).resolves.toMatchObject(verdict);
  });

  test('sleep of eleven minutes ago leaves it at having no source', async () => {
    await expect(on(noSource, slept(28_800, 660))).rejects.toMatchObject({ reason: 'no_source' });
  });
});

describe('a Hyper-V clock that chrony does not use', () => {
  const line = '`refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2`';
  const on = (says: Says) =>
    examine(
      { 'a.test': says },
      {},
      { hypervClock: async () => ({ device: '/dev/ptp1', chronyLines: ['server a.test'] }) },
    );

  test('is part of the remedy for a wrong clock', async () => {
    await expect(on([60, 0.1])).resolves.toMatchObject({ remedy: expect.stringContaining(line) });
  });

  test('is part of the remedy where no source answers', async () => {
    const silent = new CannotTell('not_found', 'a.test did not answer');
    await expect(on(silent)).rejects.toMatchObject({ remedy: expect.stringContaining(line) });
  });

  test('is nothing to tell of a clock that is right', async () => {
    await expect(on([0, 0.1])).resolves.not.toHaveProperty('remedy');
  });

  test('does not change the verdict when its detection fails', async () => {
    const hypervClock = () => Promise.reject(new Error('broken'));
    await expect(examine({ 'a.test': [60, 0.1] }, {}, { hypervClock })).resolves.toMatchObject({
      reason: 'drifted',
    });
  });
});

describe('the policy', () => {
  test('has the documented defaults', () => {
    expect(clockDrift.params.parse({})).toEqual({
      servers: ['time.windows.com'],
      https: [],
      chrony: '127.0.0.1:323',
      warnSeconds: 10,
      failSeconds: 300,
    });
  });

  test.each([
    [{ servers: ['ntp.test', 'ntp.test:1123', '192.0.2.1', '[2001:db8::1]', '[2001:db8::1]:123'] }],
    [{ chrony: null }],
    [{ https: ['https://hub.test', 'https://hub.test:8443/path?query'] }],
    [{ warnSeconds: 5, failSeconds: 5 }],
  ])('accepts %j', (policy) => {
    expect(clockDrift.params.safeParse(policy).success).toBe(true);
  });

  test.each<[object, (string | number)[]]>([
    [{ servers: [''] }, ['servers', 0]],
    [{ servers: ['ntp.test', 'ntp://ntp.test'] }, ['servers', 1]],
    [{ servers: ['2001:db8::1'] }, ['servers', 0]],
    [{ servers: ['{nosuch}'] }, ['servers', 0]],
    [{ servers: ['{gateway}:123'] }, ['servers', 0]],
    [{ https: ['https://{iothub}/'] }, ['https', 0]],
    [{ servers: ['ntp.test:0'] }, ['servers', 0]],
    [{ servers: ['ntp.test:65536'] }, ['servers', 0]],
    [{ servers: ['[2001:db8::1]:65536'] }, ['servers', 0]],
    [{ servers: Array(17).fill('ntp.test') }, ['servers']],
    [{ https: ['http://hub.test'] }, ['https', 0]],
    [{ https: ['hub.test'] }, ['https', 0]],
    [{ https: ['https://me:secret@hub.test'] }, ['https', 0]],
    [{ https: ['https://me@hub.test'] }, ['https', 0]],
    [{ chrony: 'a b' }, ['chrony']],
    [{ warnSeconds: 0 }, ['warnSeconds']],
    [{ failSeconds: -1 }, ['failSeconds']],
    [{ warnSeconds: 301 }, ['warnSeconds']],
    [{ warnSecs: 1 }, []],
  ])('refuses %j and says where', (policy, path) => {
    const result = clockDrift.params.safeParse(policy);
    expect(result.error?.issues[0]?.path).toEqual(path);
  });

  test('without any source leaves nothing to examine', () => {
    const params = clockDrift.params.parse({ servers: [], chrony: null });
    expect(clockDrift.subjects(params, fakeHost({}), unsignalled())).toEqual([]);
  });

  test('names every access it needs', () => {
    const params = clockDrift.params.parse({ https: ['https://hub.test'] });
    expect(clockDrift.needs(params).map((need) => 'what' in need && need.what)).toEqual([
      'UDP (NTP) to time.windows.com',
      'https://hub.test',
      "UDP to chronyd at 127.0.0.1:323, from the host's network",
    ]);
  });
});
