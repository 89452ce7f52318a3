import { describe, expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { policyOf } from '../support/fixtures/policies.ts';

const problemsOf = (document: unknown): readonly string[] => {
  const outcome = readPolicy(document, checks);
  return outcome.accepted ? [] : outcome.problems;
};

const ids = checks.map(({ id }) => id);
const excepted = { check: 'clockDrift', target: 'clock', because: 'the plant has no NTP' };

describe('a document that is no policy is refused with one plain reason', () => {
  test.each<[unknown, string]>([
    [null, 'policy: Invalid input: expected object, received null'],
    [[], 'policy: Invalid input: expected object, received array'],
    ['{}', 'policy: Invalid input: expected object, received string (is "{}")'],
    [5, 'policy: Invalid input: expected object, received number (is 5)'],
    [undefined, 'policy: Invalid input: expected object, received undefined'],

    [{ shedule: '* * * * *' }, 'shedule: unknown key, did you mean schedule?'],
    [{ report: { maxFinding: 3 } }, 'report.maxFinding: unknown key, did you mean maxFindings?'],
    [{ checks: { clockDirft: {} } }, 'checks.clockDirft: unknown key, did you mean clockDrift?'],
    [
      { checks: { clockDrift: { warnSecond: 1 } } },
      'checks.clockDrift.warnSecond: unknown key, did you mean warnSeconds?',
    ],
    [
      { checks: { diskSpace: { enable: true } } },
      'checks.diskSpace.enable: unknown key, did you mean enabled?',
    ],
    [{ checks: { moduleHealth: {} } }, 'checks.moduleHealth: unknown key'],
    [{ constructor: 1 }, 'constructor: unknown key'],
    [JSON.parse('{ "__proto__": { "enabled": false } }'), '__proto__: unknown key'],
    [
      { exceptions: [{ ...excepted, utnil: '2027-03-31' }] },
      'exceptions[0].utnil: unknown key, did you mean until?',
    ],

    [{ schedule: 5 }, 'schedule: Invalid input: expected string, received number (is 5)'],
    [{ checks: [] }, 'checks: Invalid input: expected object, received array'],
    [{ checks: { clockDrift: null } }, 'checks.clockDrift: Invalid input: expected object, received null'],
    [{ report: null }, 'report: Invalid input: expected object, received null'],
    [{ exceptions: {} }, 'exceptions: Invalid input: expected array, received object'],
    [
      { checks: { clockDrift: { enabled: 'yes' } } },
      'checks.clockDrift.enabled: Invalid input: expected boolean, received string (is "yes")',
    ],
    [
      { checks: { clockDrift: { warnSeconds: '10' } } },
      'checks.clockDrift.warnSeconds: Invalid input: expected number, received string (is "10")',
    ],
    [
      { checks: { diskSpace: { paths: ['/var/lib', 5] } } },
      'checks.diskSpace.paths[1]: Invalid input: expected string, received number (is 5)',
    ],
    [
      { jitterSeconds: 'x'.repeat(1000) },
      `jitterSeconds: Invalid input: expected number, received string (is "${'x'.repeat(76)}...)`,
    ],

    [{ timeoutSeconds: 0 }, 'timeoutSeconds: Too small: expected number to be >=1 (is 0)'],
    [{ timeoutSeconds: 1e9 }, 'timeoutSeconds: Too big: expected number to be <=300 (is 1000000000)'],
    [
      { report: { maxFindings: 0.5 } },
      'report.maxFindings: Invalid input: expected int, received number (is 0.5)',
    ],
    [
      { checks: { certificateExpiry: { renewAtFraction: 2 } } },
      'checks.certificateExpiry.renewAtFraction: Too big: expected number to be <=1 (is 2)',
    ],
    [
      { checks: { certificateExpiry: { endpoints: ['estServer'] } } },
      'checks.certificateExpiry.endpoints[0]: must be edgehub, iothub or tls://host:port (is "estServer")',
    ],
    [
      { checks: { diskSpace: { paths: ['var/lib'] } } },
      'checks.diskSpace.paths[0]: not an absolute path (is "var/lib")',
    ],

    [{ schedule: 'daily' }, 'schedule: not a cron expression (it needs 5 or 6 fields, got 1) (is "daily")'],
    [
      { schedule: '61 * * * *' },
      'schedule: not a cron expression ("61" is not valid for minute) (is "61 * * * *")',
    ],
    [
      { schedule: '*/61 * * * *' },
      'schedule: not a cron expression (the step of */61 is longer than the 60 values of minute) (is "*/61 * * * *")',
    ],
    [
      { checks: { diskSpace: { schedule: '* * *' } } },
      'checks.diskSpace.schedule: not a cron expression (it needs 5 or 6 fields, got 3) (is "* * *")',
    ],

    [
      { exceptions: [{ ...excepted, check: 'clokDrift' }] },
      `exceptions[0].check: Invalid option: expected one of ${ids.map((id) => `"${id}"`).join('|')} (is "clokDrift")`,
    ],
    [
      { exceptions: [{ ...excepted, until: '2027-02-30' }] },
      'exceptions[0].until: Invalid ISO date (is "2027-02-30")',
    ],
    [{ exceptions: [{ ...excepted, until: 'soon' }] }, 'exceptions[0].until: Invalid ISO date (is "soon")'],
    [
      { exceptions: [{ ...excepted, because: undefined }] },
      'exceptions[0].because: Invalid input: expected string, received undefined',
    ],
  ])('%j', (document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  test.each([
    ['ftp://hub.test', '"ftp://hub.test" must begin with tcp://, tls:// or https://'],
    ['tcp://hub.test', '"tcp://hub.test" has no port: write tcp://hub.test:port'],
    ['tcp://hub.test:99999', '"tcp://hub.test:99999" has a port that is not 1 to 65535'],
    ['https://me:s3cret@hub.test', '"https://…@hub.test" must not hold a user name or password'],
  ])('probe target %s', (target, problem) => {
    expect(problemsOf({ checks: { outboundReachability: { targets: [target] } } })).toEqual([
      `checks.outboundReachability.targets[0]: ${problem}`,
    ]);
  });
});

test('every problem is reported, not just the first', () => {
  expect(problemsOf({ schedual: 1, jiterSeconds: 2, timeoutSeconds: 0 })).toHaveLength(3);
});

test('a time source takes no user name and password, as no target does', () => {
  expect(problemsOf({ checks: { clockDrift: { https: ['https://me:s3cret@time.test/'] } } })).toEqual([
    'checks.clockDrift.https[0]: must not hold a user name or password (is "https://…@time.test/")',
  ]);
});

test.each([
  [{ checks: { clockDrift: { https: ['http://me:s3cret@time.test/'] } } }],
  [{ checks: { clockDrift: { https: ['https://me:s3cret@time.test/'] } } }],
  [{ checks: { clockDrift: { https: ['https://s3cret@time.test/'] } } }],
  [{ checks: { clockDrift: { https: ['https:me:s3cret@time.test'] } } }],
  [{ checks: { clockDrift: { https: [' https:\\\\me:s3cret@time.test'] } } }],
  [{ checks: { clockDrift: { servers: ['s3cret@time.test'] } } }],
  [{ checks: { clockDrift: { servers: ['ntp://me:s3cret@time.test'] } } }],
  [{ checks: { outboundReachability: { targets: ['tcp://me:s3cret@hub.test:1'] } } }],
  [{ schedule: 'https://me:s3cret@hub.test' }],
])('a password in a URL is not repeated: %j', (document) => {
  const [problem = '', ...others] = problemsOf(document);
  expect(others).toEqual([]);
  expect(problem).toContain('…@');
  expect(problem).not.toContain('s3cret');
});

test('a placeholder that does not exist is refused with the list of those that do', () => {
  const [problem] = problemsOf({ checks: { outboundReachability: { targets: ['tls://{hub}:8883'] } } });
  expect(problem).toMatch(/^checks\.outboundReachability\.targets\[0\]: .*\{hub\}.*\{iothub\}/);
});

test('a placeholder in a time source is a problem that names the placeholder', () => {
  const document = { servers: ['{nosuch}'], https: ['https://{iothub}/'], chrony: '{gateway}' };
  expect(problemsOf({ checks: { clockDrift: document } })).toEqual([
    'checks.clockDrift.servers[0]: placeholders are not expanded here: write the name itself (is "{nosuch}")',
    'checks.clockDrift.https[0]: placeholders are not expanded here: write the name itself (is "https://{iothub}/")',
    expect.stringMatching(/^checks\.clockDrift\.chrony: .*"\{gateway\}"/),
  ]);
});

describe('thresholds that contradict each other are refused', () => {
  test.each([
    ['clockDrift', { warnSeconds: 301 }, 'warnSeconds: is above failSeconds'],
    ['clockDrift', { warnSeconds: 5, failSeconds: 4 }, 'warnSeconds: is above failSeconds'],
    ['certificateExpiry', { warnDays: 3 }, 'warnDays: is below failDays'],
    ['certificateExpiry', { failDays: 31 }, 'warnDays: is below failDays'],
    ['diskSpace', { warnUsedPercent: 95 }, 'warnUsedPercent: is above failUsedPercent'],
    ['diskSpace', { failUsedPercent: 50 }, 'warnUsedPercent: is above failUsedPercent'],
    ['diskSpace', { forecastWarnDays: 1 }, 'forecastWarnDays: is below forecastFailDays'],
    ['diskSpace', { forecastFailDays: 31 }, 'forecastWarnDays: is below forecastFailDays'],
  ])('%s %j', (id, params, problem) => {
    expect(problemsOf({ checks: { [id]: params } })).toEqual([
      `checks.${id}.${problem}, so it would never warn`,
    ]);
  });

  test.each([
    ['clockDrift', { warnSeconds: 7, failSeconds: 7 }],
    ['certificateExpiry', { warnDays: 7, failDays: 7 }],
    ['diskSpace', { warnUsedPercent: 80, failUsedPercent: 80 }],
    ['diskSpace', { forecastWarnDays: 3, forecastFailDays: 3 }],
  ])('equal ones are accepted: %s %j', (id, params) => {
    expect(problemsOf({ checks: { [id]: params } })).toEqual([]);
  });

  test('a forecast that is switched off contradicts nothing', () => {
    expect(problemsOf({ checks: { diskSpace: { forecastWarnDays: 0 } } })).toEqual([]);
  });
});

test('the empty document is the default policy', () => {
  const { checks: slices, ...rest } = policyOf({}, checks);
  expect(rest).toEqual({
    schedule: '*/5 * * * *',
    jitterSeconds: 30,
    timeoutSeconds: 20,
    confirmAfterSeconds: 15,
    report: { minIntervalSeconds: 60, heartbeatMinutes: 60, maxFindings: 20 },
    exceptions: [],
  });
  expect(Object.keys(slices)).toEqual(checks.map(({ id }) => id));
  for (const slice of Object.values(slices)) expect(slice.enabled).toBe(true);
});

// As they stand in the published policy format.
const published = {
  clockDrift: {
    enabled: true,
    servers: ['time.windows.com'],
    https: [],
    chrony: '127.0.0.1:323',
    warnSeconds: 10,
    failSeconds: 300,
  },
  certificateExpiry: {
    files: ['/var/lib/aziot/certd/certs/*'],
    endpoints: ['edgehub', 'iothub'],
    warnDays: 30,
    failDays: 7,
    renewAtFraction: 0.8,
  },
  certificateChain: { files: ['/var/lib/aziot/certd/certs/*'], endpoints: ['edgehub'] },
  diskSpace: {
    paths: ['/var/lib'],
    warnUsedPercent: 75,
    failUsedPercent: 90,
    minSizeGiB: 16,
    forecastWarnDays: 30,
    forecastFailDays: 3,
  },
  outboundReachability: {
    targets: ['tls://{iothub}:8883', 'tls://{iothub}:443', 'https://mcr.microsoft.com/v2/'],
    timeoutSeconds: 5,
  },
  outboundContainment: { targets: ['tcp://8.8.8.8:53'], severity: 'warn' },
  dnsResolution: { names: ['{iothub}'], servers: [], warnSeconds: 1 },
};

test('the published sections are accepted, and say what the defaults say', () => {
  expect(policyOf({ checks: published }, checks)).toEqual(policyOf({}, checks));
});

test('a check may be switched off and have its own schedule', () => {
  const document = { checks: { diskSpace: { enabled: false, schedule: '0 4 * * *' } } };
  expect(policyOf(document, checks).checks.diskSpace).toMatchObject({
    enabled: false,
    schedule: '0 4 * * *',
  });
});

describe('the limits of a policy', () => {
  const within = (key: string, value: unknown) => ({ [key]: value });
  const ofReport = (key: string, value: unknown) => ({ report: { [key]: value } });
  const ofException = (key: string, value: unknown) => ({ exceptions: [{ ...excepted, [key]: value }] });
  const text = (length: number) => 'x'.repeat(length);

  test.each<[name: string, document: (value: unknown) => object, accepted: unknown[], refused: unknown[]]>([
    ['jitterSeconds', (v) => within('jitterSeconds', v), [0, 3600], [-1, 3601]],
    ['timeoutSeconds', (v) => within('timeoutSeconds', v), [1, 300], [0.9, 301]],
    ['confirmAfterSeconds', (v) => within('confirmAfterSeconds', v), [0, 600], [-1, 601]],
    ['report.minIntervalSeconds', (v) => ofReport('minIntervalSeconds', v), [1, 86_400], [0.9, 86_401]],
    ['report.heartbeatMinutes', (v) => ofReport('heartbeatMinutes', v), [1, 10_080], [0.9, 10_081]],
    ['report.maxFindings', (v) => ofReport('maxFindings', v), [1, 100], [0, 101]],
    ['note', (v) => within('note', v), [text(200)], [text(201)]],
    ['exceptions[0].target', (v) => ofException('target', v), [text(1), text(1024)], ['', text(1025)]],
    ['exceptions[0].reason', (v) => ofException('reason', v), [text(1), text(100)], ['', text(101)]],
    ['exceptions[0].because', (v) => ofException('because', v), [text(1), text(500)], ['', text(501)]],
    [
      'exceptions',
      (v) => ({ exceptions: Array.from({ length: v as number }, () => excepted) }),
      [100],
      [101],
    ],
  ])('%s', (name, document, accepted, refused) => {
    for (const value of accepted) expect(problemsOf(document(value))).toEqual([]);
    for (const value of refused) {
      const [problem = '', ...others] = problemsOf(document(value));
      expect([problem.startsWith(`${name}: `), others]).toEqual([true, []]);
    }
  });

  test('a value of up to 80 characters is quoted whole, a longer one cut', () => {
    const [whole] = problemsOf({ jitterSeconds: text(78) });
    expect(whole).toContain(`(is "${text(78)}")`);
    const [cut] = problemsOf({ jitterSeconds: text(79) });
    expect(cut).toContain(`(is "${text(76)}...)`);
  });
});
