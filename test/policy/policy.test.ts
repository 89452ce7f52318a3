import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { policyExample } from '../../src/policy/example.ts';
import { readPolicy, readPolicyText } from '../../src/policy/policy.ts';
import { policyOf } from '../support/fixtures/policies.ts';
import { anyDocument, anyText, checkProperty } from '../support/properties.ts';

const problemsOf = (document: unknown): readonly string[] => {
  const outcome = readPolicy(document, checks);
  return outcome.accepted ? [] : outcome.problems;
};

const excepted = { check: 'clockDrift', target: 'clock', because: 'the plant has no NTP' };

describe('a document that is no policy is refused with one plain reason', () => {
  test.each<[unknown, string]>([
    [null, 'policy must be an object, got null'],
    [[], 'policy must be an object, got an array'],
    ['{}', 'policy must be an object, got text'],
    [5, 'policy must be an object, got a number'],
    [undefined, 'policy must be an object, got nothing'],

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
    [{ checks: { weather: {} } }, 'checks.weather: unknown key'],
    [{ constructor: 1 }, 'constructor: unknown key'],
    [JSON.parse('{ "__proto__": { "enabled": false } }'), '__proto__: unknown key'],
    [
      { exceptions: [{ ...excepted, utnil: '2027-03-31' }] },
      'exceptions[0].utnil: unknown key, did you mean until?',
    ],

    [{ schedule: 5 }, 'schedule must be text of at most 512 characters, got 5'],
    [{ checks: [] }, 'checks must be an object, got an array'],
    [{ checks: { clockDrift: null } }, 'checks.clockDrift must be an object, got null'],
    [{ report: null }, 'report must be an object, got null'],
    [{ exceptions: {} }, 'exceptions must be an array of at most 100 entries, got an object'],
    [
      { checks: { clockDrift: { enabled: 'yes' } } },
      'checks.clockDrift.enabled must be true or false, got "yes"',
    ],
    [
      { checks: { clockDrift: { warnSeconds: '10' } } },
      'checks.clockDrift.warnSeconds must be a number above 0, got "10"',
    ],
    [
      { checks: { diskSpace: { paths: ['/var/lib', 5] } } },
      'checks.diskSpace.paths[1] must be text of 1 to 1024 characters, got 5',
    ],
    [
      { jitterSeconds: 'x'.repeat(1000) },
      `jitterSeconds must be a number from 0 to 3600, got "${'x'.repeat(76)}...`,
    ],

    [{ timeoutSeconds: 0 }, 'timeoutSeconds must be a number from 1 to 300, got 0'],
    [{ timeoutSeconds: 1e9 }, 'timeoutSeconds must be a number from 1 to 300, got 1000000000'],
    [{ report: { maxFindings: 0.5 } }, 'report.maxFindings must be a whole number from 1 to 100, got 0.5'],
    [
      { checks: { certificateExpiry: { renewAtFraction: 2 } } },
      'checks.certificateExpiry.renewAtFraction must be a number above 0 and at most 1, got 2',
    ],
    [
      { checks: { certificateExpiry: { endpoints: ['estServer'] } } },
      'checks.certificateExpiry.endpoints[0]: must be edgehub, iothub or tls://host:port, got "estServer"',
    ],
    [
      { checks: { diskSpace: { paths: ['var/lib'] } } },
      'checks.diskSpace.paths[0]: not an absolute path, got "var/lib"',
    ],

    [{ policy: { checks: {} } }, 'policy: unknown key: leave out this wrapper and write its contents'],
    [{ clockDrift: {} }, 'clockDrift: unknown key: write it inside "checks"'],
    [
      { checks: { outboundReachability: false } },
      'checks.outboundReachability must be an object, got false: use { "enabled": false }',
    ],
    [
      { checks: { outboundContainment: { severity: 'error' } } },
      'checks.outboundContainment.severity must be "warn" or "fail", got "error"',
    ],
    [
      { checks: { clockDrift: { chrony: true } } },
      'checks.clockDrift.chrony must be text, false or null, got true',
    ],
    [
      { checks: { clockDrift: { servers: Array(17).fill('time.test') } } },
      'checks.clockDrift.servers must be an array of at most 16 entries, got an array of 17 entries',
    ],
    [{ note: 'x'.repeat(3000) }, 'note must be text of at most 200 characters, got 3000 characters'],
    [{ schedule: 'x'.repeat(513) }, 'schedule must be text of at most 512 characters, got 513 characters'],
    [{ schedule: 'x'.repeat(3000) }, 'schedule must be text of at most 512 characters, got 3000 characters'],
    [
      { jitterSeconds: 'x'.repeat(3000) },
      'jitterSeconds must be a number from 0 to 3600, got text of 3000 characters',
    ],
    [
      { exceptions: [{ ...excepted, because: 'x'.repeat(3000) }] },
      'exceptions[0].because must be text of 1 to 500 characters, got 3000 characters',
    ],
    [
      { checks: { clockDrift: { chrony: 'x'.repeat(3000) } } },
      'checks.clockDrift.chrony must have at most 2048 characters, got 3000',
    ],
    [
      { checks: { outboundContainment: { severity: 'x'.repeat(3000) } } },
      'checks.outboundContainment.severity must be "warn" or "fail", got text of 3000 characters',
    ],
    [{ note: 'x'.repeat(201) }, 'note must be text of at most 200 characters, got 201 characters'],
    [{ 'a.b "c"': 1 }, '["a.b \\"c\\""]: unknown key'],
    [{ ':': 1 }, '[":"]: unknown key'],
    [{ 'a\u202eb\u0007': 1 }, String.raw`["a\u{202e}b\u0007"]: unknown key`],

    [{ schedule: 'daily' }, 'schedule: not a cron expression (it needs 5 or 6 fields, got 1), got "daily"'],
    [
      { schedule: '0 0 31 2 *' },
      'schedule: not a cron expression (day 31 of month 2 never occurs), got "0 0 31 2 *"',
    ],
    [
      { schedule: '@foo' },
      'schedule: not a cron expression (the nickname is unknown (known: @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly)), got "@foo"',
    ],
    [
      { schedule: '61 * * * *' },
      'schedule: not a cron expression ("61" is not valid for minute), got "61 * * * *"',
    ],
    [
      { schedule: '*/61 * * * *' },
      'schedule: not a cron expression (the step of */61 is longer than the 60 values of minute), got "*/61 * * * *"',
    ],
    [
      { checks: { diskSpace: { schedule: '* * *' } } },
      'checks.diskSpace.schedule: not a cron expression (it needs 5 or 6 fields, got 3), got "* * *"',
    ],

    [
      { exceptions: [{ ...excepted, check: 'clokDrift' }] },
      'exceptions[0].check: "clokDrift" is unknown, did you mean clockDrift?',
    ],
    [
      { exceptions: [{ ...excepted, check: 'x'.repeat(65) }] },
      `exceptions[0].check: "${'x'.repeat(65)}" is unknown (known: ${checks.map(({ id }) => id).join(', ')})`,
    ],
    [
      { exceptions: [{ ...excepted, check: 'diskSpace', reason: 'too-small' }] },
      'exceptions[0].reason: "too-small" is not a reason of diskSpace, did you mean too_small?',
    ],
    [
      { exceptions: [{ ...excepted, reason: 'space_low' }] },
      expect.stringMatching(
        /^exceptions\[0\]\.reason: "space_low" is not a reason of clockDrift.* \(known: drifted, .*\)$/,
      ),
    ],
    [
      { exceptions: [{ ...excepted, until: '2027-02-30' }] },
      'exceptions[0].until must be a date such as "2027-03-31", got "2027-02-30"',
    ],
    [
      { exceptions: [{ ...excepted, until: 'soon' }] },
      'exceptions[0].until must be a date such as "2027-03-31", got "soon"',
    ],
    [
      { exceptions: [{ ...excepted, because: undefined }] },
      'exceptions[0].because is missing: it must be text of 1 to 500 characters',
    ],
  ])('%j', (document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  test.each([
    ['ftp://hub.test', 'must begin with tcp://, tls:// or https://, got "ftp://hub.test"'],
    ['tcp://hub.test', 'has no port: write tcp://hub.test:port, got "tcp://hub.test"'],
    ['tcp://hub.test:99999', 'has a port that is not 1 to 65535, got "tcp://hub.test:99999"'],
    ['https://me:s3cret@hub.test', 'must not hold a user name or password, got "https://…@hub.test"'],
    [
      'tcp://[fe80::1]:1',
      'has a link-local address, which needs a zone, and zones are not supported: write another address, got "tcp://[fe80::1]:1"',
    ],
    ['tls://"hub":1', String.raw`has no usable host, got "tls://\"hub\":1"`],
    [
      `ftp://${'x'.repeat(100)}`,
      `must begin with tcp://, tls:// or https://, got "ftp://${'x'.repeat(70)}...`,
    ],
  ])('probe target %s', (target, problem) => {
    expect(problemsOf({ checks: { outboundReachability: { targets: [target] } } })).toEqual([
      `checks.outboundReachability.targets[0]: ${problem}`,
    ]);
  });

  test.each([
    ['outboundContainment', 'targets', 'tls://a"b:1'],
    ['outboundContainment', 'targets', `https://${'x'.repeat(100)}`],
    ['certificateChain', 'endpoints', 'tls://a"b:1'],
    ['certificateExpiry', 'endpoints', 'est"server'],
    ['dnsResolution', 'names', 'a"b'],
    ['dnsResolution', 'names', `${'x'.repeat(90)}:1`],
    ['dnsResolution', 'servers', 'a"b'],
    ['clockDrift', 'servers', 'a"b'],
    ['clockDrift', 'https', 'http://a"b'],
  ])('the bad value of %s.%s, %s, is quoted once', (id, key, value) => {
    const problems = problemsOf({ checks: { [id]: { [key]: [value] } } });
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) {
      expect(problem.split(', got ')).toEqual([
        expect.not.stringContaining(value.slice(0, 60)),
        expect.stringContaining(JSON.stringify(value).slice(0, 60)),
      ]);
    }
  });
});

describe('exceptions', () => {
  test.each([
    ['a reason of the check', { reason: 'sources_disagree' }],
    ['a reason that every check can give', { reason: 'timed_out' }],
    ['a day that has passed', { until: '2001-01-01' }],
    ['a leap day', { until: '2028-02-29' }],
    ['a target that matches nothing', { target: 'nothing here' }],
  ])('%s is accepted', (_, more) => {
    expect(problemsOf({ exceptions: [{ ...excepted, ...more }] })).toEqual([]);
  });
});

describe('exceptions that repeat one another', () => {
  test('are refused, each with the one that it repeats', () => {
    const other = { ...excepted, target: 'other' };
    expect(problemsOf({ exceptions: [excepted, other, { ...excepted, because: 'x' }, other] })).toEqual([
      'exceptions[2]: repeats exceptions[0]; remove one of them',
      'exceptions[3]: repeats exceptions[1]; remove one of them',
    ]);
  });

  test('are reported together with other problems', () => {
    expect(problemsOf({ jitterSeconds: -1, exceptions: [excepted, excepted] })).toHaveLength(2);
  });

  test.each([{ reason: 'drifted' }, { until: '2027-03-31' }, { target: 'other' }, { check: 'diskSpace' }])(
    'are none if they differ in %j',
    (more) => {
      expect(problemsOf({ exceptions: [excepted, { ...excepted, ...more }] })).toEqual([]);
    },
  );
});

describe('an interval between reports', () => {
  test('that is above the heartbeat is refused', () => {
    expect(problemsOf({ report: { minIntervalSeconds: 61, heartbeatMinutes: 1, maxFindings: 0 } })).toEqual([
      'report.maxFindings must be a whole number from 1 to 100, got 0',
      'report.minIntervalSeconds: 61 s is above heartbeatMinutes, 60 s',
    ]);
  });

  test.each([
    { minIntervalSeconds: 60, heartbeatMinutes: 1 },
    { minIntervalSeconds: 86_400 },
    { heartbeatMinutes: 1 },
  ])('is accepted otherwise: %j', (report) => {
    expect(problemsOf({ report })).toEqual([]);
  });
});

describe('contradicting thresholds are reported together with other problems', () => {
  test.each<[string, object, string[]]>([
    [
      'an unknown key',
      { warnUsedPercent: 95, enable: true },
      ['enable: unknown key', 'warnUsedPercent: 95 is above failUsedPercent (90)'],
    ],
    [
      'another value',
      { warnUsedPercent: 95, minSizeGiB: '16' },
      ['minSizeGiB must be a number', 'warnUsedPercent: 95 is above failUsedPercent (90)'],
    ],
    [
      'a value of another pair',
      { warnUsedPercent: '75', failUsedPercent: 1, forecastWarnDays: 1 },
      ['warnUsedPercent must be a number', 'forecastWarnDays: 1 is below forecastFailDays (3)'],
    ],
    [
      'its own value, with which nothing is compared',
      { warnUsedPercent: 95, failUsedPercent: '99' },
      ['failUsedPercent must be a number'],
    ],
  ])('%s', (_, diskSpace, expected) => {
    expect(problemsOf({ checks: { diskSpace } })).toEqual(
      expected.map((text) => expect.stringContaining(`checks.diskSpace.${text}`)),
    );
  });

  test('an exception with a wrong reason', () => {
    const document = {
      schedul: 1,
      exceptions: [
        { ...excepted, reason: 'drift' },
        { ...excepted, until: 'x' },
      ],
    };
    expect(problemsOf(document)).toHaveLength(3);
  });
});

describe('a document that is too large', () => {
  const nested = (levels: number): unknown => {
    let value: unknown = {};
    for (let level = 0; level < levels; level += 1) value = { a: value };
    return value;
  };

  test.each([
    [
      'nested 3,000 levels deep',
      { checks: { diskSpace: nested(3000) } },
      'checks.diskSpace is nested more than 32 levels deep',
    ],
    ['nested 100,000 levels deep', nested(100_000), 'a.a is nested more than 32 levels deep'],
    [
      'arrays in arrays',
      { checks: JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`) },
      'checks[0] is nested more than 32 levels deep',
    ],
    [
      'too many values',
      { checks: Array.from({ length: 30_000 }, () => 0) },
      'policy has more than 20000 values',
    ],
    [
      'a target of 2,049 characters',
      { checks: { outboundReachability: { targets: [`https://hub.test/${'x'.repeat(2032)}`] } } },
      'checks.outboundReachability.targets[0] must have at most 2048 characters, got 2049',
    ],
  ])('%s is one problem', (_, document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  test.each<[string, object, string[]]>([
    [
      'a wrong value, an unknown key and a contradiction',
      {
        note: 'x'.repeat(3000),
        schedul: 1,
        jitterSeconds: -1,
        checks: { diskSpace: { warnUsedPercent: 95, paths: [`/${'x'.repeat(3000)}`] } },
      },
      [
        'note must be text of at most 200 characters, got 3000 characters',
        'checks.diskSpace.paths[0] must be text of 1 to 1024 characters, got 3001 characters',
        'jitterSeconds must be a number from 0 to 3600, got -1',
        'schedul: unknown key, did you mean schedule?',
        'checks.diskSpace.warnUsedPercent: 95 is above failUsedPercent (90), so it would never warn',
      ],
    ],
    [
      'its own key, which is unknown',
      { shedul: 'x'.repeat(3000) },
      ['shedul must have at most 2048 characters, got 3000', 'shedul: unknown key, did you mean schedule?'],
    ],
    [
      'problems of an exception',
      { exceptions: [{ ...excepted, reason: 'x'.repeat(3000), until: 'soon' }, excepted, excepted] },
      [
        'exceptions[0].reason must have at most 2048 characters, got 3000',
        'exceptions[0].until must be a date such as "2027-03-31", got "soon"',
        'exceptions[2]: repeats exceptions[1]; remove one of them',
      ],
    ],
    [
      'another target, of the same list',
      { checks: { outboundReachability: { targets: [`ftp://${'x'.repeat(3000)}`, 'ftp://a'] } } },
      [
        'checks.outboundReachability.targets[0] must have at most 2048 characters, got 3006',
        'checks.outboundReachability.targets[1]: must begin with tcp://, tls:// or https://, got "ftp://a"',
      ],
    ],
  ])('a text that is too long is reported together with %s', (_, document, problems) => {
    expect(problemsOf(document).toSorted()).toEqual(problems.toSorted());
  });

  test('a target of 2,048 characters is accepted', () => {
    const targets = [`https://hub.test/${'x'.repeat(2031)}`];
    expect(problemsOf({ checks: { outboundReachability: { targets } } })).toEqual([]);
  });

  test('4,000 unknown keys are twenty problems and their number', () => {
    const key = 'a key that is rather long '.repeat(10);
    const document = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`${key}${i}`, i]));
    const problems = problemsOf(document);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('and 3980 more problems');
    expect(Math.max(...problems.map(({ length }) => length))).toBeLessThanOrEqual(500);
  });

  test('one problem more than are listed is counted in the singular', () => {
    const document = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, i]));
    expect(problemsOf(document).at(-1)).toBe('and 1 more problem');
  });
});

describe('a policy in a file', () => {
  const problemsIn = (text: string): readonly string[] => {
    const { outcome } = readPolicyText(text, checks);
    return outcome.accepted ? [] : outcome.problems;
  };

  test('each problem begins with its line and column, in the order of the file', () => {
    const text = `{
  "checks": {
    "diskSpace": { "warnUsedPercent": "75", "paths": ["/", "var"] } // two
  },
  "exceptions": [
    { "check": "diskSpace", "target": "/" }
  ],
  "schedul": ""
}`;
    expect(problemsIn(text)).toEqual([
      'line 3, column 20: checks.diskSpace.warnUsedPercent must be a number from 0 to 100, got "75"',
      'line 3, column 60: checks.diskSpace.paths[1]: not an absolute path, got "var"',
      'line 6, column 5: exceptions[0].because is missing: it must be text of 1 to 500 characters',
      'line 8, column 3: schedul: unknown key, did you mean schedule?',
    ]);
  });

  test.each([
    ['{ "jitterSeconds": 1e999 }', 'line 1, column 20: this number is too large'],
    ['{ "note": "a", "note": "b" }', 'line 1, column 16: note: duplicate key'],
    [
      '{ "checks": { "diskSpace": {}, "diskSpace": {} } }',
      'line 1, column 32: checks.diskSpace: duplicate key',
    ],
    ['{ "jitterSeconds": 01 }', 'not JSON: line 1, column 20: remove the leading zero of this number'],
    ['{ "note": "a", "no\\u0074e": "a" }', 'line 1, column 16: note: duplicate key'],
  ])('%s', (text, problem) => {
    expect(problemsIn(text)).toEqual([problem]);
  });

  test.each([
    [Buffer.from('\ufeff{}', 'utf16le'), 'the text is UTF-16; save it as UTF-8'],
    [
      Buffer.from('{\n  "note": "L\u00ednea" }', 'latin1'),
      'line 2, column 13: byte 15 is not UTF-8; save the text as UTF-8',
    ],
    [Buffer.alloc(2_000_000, '['), 'it is larger than 1 MiB, the limit for a policy'],
    [Buffer.alloc(1_048_577, ' '), 'it is larger than 1 MiB, the limit for a policy'],
    [Buffer.alloc(1_048_576, ' '), 'not JSON: line 1, column 1048577: the document is empty'],
  ])('that is too large or not UTF-8 is refused, case %#', (file, problem) => {
    expect(readPolicyText(file, checks).outcome).toEqual({ accepted: false, problems: [problem] });
  });

  test('a limit for the listed problems can be given', () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])));
    const { outcome } = readPolicyText(text, checks, 40);
    expect(outcome).toMatchObject({ accepted: false, problems: { length: 41, 40: 'and 10 more problems' } });
  });

  test('a duplicate key is reported where it is written, also inside a duplicate', () => {
    const text = '{ "report": {\n"maxFindings": 1, "maxFindings": 2 },\n"report": {} }';
    expect(problemsIn(text)).toEqual([
      'line 2, column 19: report.maxFindings: duplicate key',
      'line 3, column 1: report: duplicate key',
    ]);
  });

  test('a duplicate key is reported together with other problems', () => {
    expect(problemsIn('{ "note": 1, "note": 2 }')).toHaveLength(2);
  });

  test('a duplicate key is reported together with its text, which is too long', () => {
    expect(problemsIn(`{\n"note": "a",\n"note": "${'x'.repeat(3000)}",\n"jitter": 1 }`)).toEqual([
      'line 3, column 1: note must be text of at most 200 characters, got 3000 characters',
      'line 3, column 1: note: duplicate key',
      'line 4, column 1: jitter: unknown key, did you mean jitterSeconds?',
    ]);
  });

  test('what is no JSON is one problem that shows nothing of the file', () => {
    expect(problemsIn('root:$6$secret:19000:0:99999:7:::\n')).toEqual([
      'not JSON: line 1, column 1: expected a value; text must be in double quotes',
    ]);
    expect(problemsIn('"s3cret"')).toEqual(['line 1, column 1: policy must be an object, got text']);
  });
});

describe('a schedule that is faster than checks that use the network may run', () => {
  const warningsOf = (document: unknown) => {
    const outcome = readPolicy(document, checks);
    return outcome.accepted ? outcome.warnings : outcome.problems;
  };
  const rule = 'Checks that use the network run at most every 30 s, whatever the schedule';

  test('is accepted with a warning that names them', () => {
    expect(warningsOf({ schedule: '* * * * * *' })).toEqual([
      expect.stringMatching(new RegExp(`^${rule}: clockDrift, .*dnsResolution\\b`)),
    ]);
    expect(warningsOf({ checks: { dnsResolution: { schedule: '*/29 * * * * *' } } })).toEqual([
      `${rule}: dnsResolution`,
    ]);
  });

  test.each([
    {},
    { schedule: '*/30 * * * * *' },
    { schedule: '* * * * *' },
    { checks: { diskSpace: { schedule: '* * * * * *' } } },
    { checks: { dnsResolution: { schedule: '* * * * * *', enabled: false } } },
  ])('other schedules give no warning: %j', (document) => {
    expect(warningsOf(document)).toEqual([]);
  });
});

test('an exception for policyInForce, which cannot be excepted, is accepted with a warning', () => {
  const exception = { check: 'policyInForce', target: 'policy', because: 'known' };
  expect(readPolicy({ exceptions: [{ ...exception, check: 'diskSpace' }, exception] }, checks)).toMatchObject(
    {
      accepted: true,
      warnings: ['policyInForce cannot be excepted, so exceptions[1] has no effect'],
    },
  );
});

test('no text of up to 64 KB throws, and no problem contains words of a library', () => {
  checkProperty(
    fc.property(policyText, (text) => {
      const { outcome } = readPolicyText(text, checks);
      const lines = outcome.accepted ? outcome.warnings : outcome.problems;
      expect(outcome.accepted || lines.length > 0).toBe(true);
      expect(lines.length).toBeLessThanOrEqual(21);
      for (const line of lines) {
        expect(line.length).toBeLessThanOrEqual(600);
        expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(line.replaceAll(/"(?:[^"\\]|\\.)*"?/g, '')).not.toMatch(libraryWords);
      }
    }),
    300,
  );
});

test('every problem is reported, not just the first', () => {
  expect(problemsOf({ schedual: 1, jiterSeconds: 2, timeoutSeconds: 0 })).toHaveLength(3);
});

describe('a secret in a refused policy appears in no problem', () => {
  const connection = 'HostName=h;DeviceId=d;SharedAccessKey=s3cret+/=';
  const pem = '-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----';
  const signed = 'https://a.blob.test/c?sv=1&sig=s3cret%3D&se=2';
  const check = (id: string, part: object) => ({ checks: { [id]: part } });

  test.each<[string, (secret: string) => object]>([
    ['schedule', (schedule) => ({ schedule })],
    ['a key', (key) => ({ [key]: 1 })],
    ['a number', (timeoutSeconds) => ({ timeoutSeconds })],
    ['a target', (target) => check('outboundReachability', { targets: [target] })],
    ['a host name', (name) => check('dnsResolution', { names: [name] })],
    ['a server', (server) => check('dnsResolution', { servers: [server] })],
    ['a path', (path) => check('diskSpace', { paths: [path] })],
    ['a time source', (url) => check('clockDrift', { https: [url] })],
    ['an exception', (name) => ({ exceptions: [{ check: name, target: 'a', because: 'b' }] })],
  ])('as %s', (_where, policyWith) => {
    for (const secret of [connection, pem, signed]) {
      const problems = problemsOf(policyWith(secret));
      expect(problems).not.toEqual([]);
      expect(problems.join('\n')).not.toContain('s3cret');
    }
  });

  test('nor is a signed URL accepted, which would be the target of a finding', () => {
    expect(problemsOf(check('outboundReachability', { targets: [signed] }))).toEqual([
      expect.stringContaining('must not hold a secret (sig): targets appear in reports and metrics'),
    ]);
  });
});

test.each([
  ['clockDrift', { servers: ['[fe80::1]:123'] }],
  ['clockDrift', { servers: ['[fe80::1%eth0]'] }],
  ['clockDrift', { https: ['https://[fe80::1]/'] }],
  ['clockDrift', { chrony: '[fe80::1]:323' }],
  ['dnsResolution', { servers: ['fe80::1'] }],
  ['dnsResolution', { servers: ['[fe80::1%eth0]:53'] }],
])('a link-local address in %s is refused as one: %j', (id, part) => {
  expect(problemsOf({ checks: { [id]: part } })).toEqual([expect.stringContaining('link-local address')]);
});

test.each([
  ['outboundReachability', { targets: ['tcp://a..b:1'] }],
  ['outboundReachability', { targets: ['tcp://.a:1'] }],
  ['dnsResolution', { names: ['a..b'] }],
  ['dnsResolution', { names: ['-a'] }],
  ['dnsResolution', { names: ['.'] }],
  ['clockDrift', { https: ['https://"x"'] }],
  ['diskSpace', { paths: [''] }],
  ['diskSpace', { paths: ['/a\u0000b'] }],
])('a name in %s that can never exist is one problem: %j', (id, part) => {
  expect(problemsOf({ checks: { [id]: part } })).toHaveLength(1);
});

test('a time source takes no user name and password, as no target does', () => {
  expect(problemsOf({ checks: { clockDrift: { https: ['https://me:s3cret@time.test/'] } } })).toEqual([
    'checks.clockDrift.https[0]: must not hold a user name or password, got "https://…@time.test/"',
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
    'checks.clockDrift.servers[0]: placeholders are not expanded here: write the name itself, got "{nosuch}"',
    'checks.clockDrift.https[0]: placeholders are not expanded here: write the name itself, got "https://{iothub}/"',
    expect.stringMatching(/^checks\.clockDrift\.chrony: .*"\{gateway\}"/),
  ]);
});

describe('thresholds that contradict each other are refused', () => {
  test.each([
    ['clockDrift', { warnSeconds: 301 }, 'warnSeconds: 301 is above failSeconds (300)'],
    ['clockDrift', { warnSeconds: 5, failSeconds: 4 }, 'warnSeconds: 5 is above failSeconds (4)'],
    ['certificateExpiry', { warnDays: 3 }, 'warnDays: 3 is below failDays (7)'],
    ['certificateExpiry', { failDays: 31 }, 'warnDays: 30 is below failDays (31)'],
    ['diskSpace', { warnUsedPercent: 95 }, 'warnUsedPercent: 95 is above failUsedPercent (90)'],
    ['diskSpace', { failUsedPercent: 50 }, 'warnUsedPercent: 75 is above failUsedPercent (50)'],
    ['diskSpace', { forecastWarnDays: 1 }, 'forecastWarnDays: 1 is below forecastFailDays (3)'],
    ['diskSpace', { forecastFailDays: 31 }, 'forecastWarnDays: 30 is below forecastFailDays (31)'],
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
  moduleHealth: { expected: [], restartsWarn: 3, restartsFail: 10, windowMinutes: 60 },
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
    ['exceptions[0].target', (v) => ofException('target', v), [text(1), text(2048)], ['', text(2049)]],
    ['exceptions[0].reason', (v) => ofException('reason', v), ['drifted'], ['', text(101)]],
    ['exceptions[0].because', (v) => ofException('because', v), [text(1), text(500)], ['', text(501)]],
    [
      'exceptions',
      (v) => ({
        exceptions: Array.from({ length: v as number }, (_, i) => ({ ...excepted, target: `clock ${i}` })),
      }),
      [100],
      [101],
    ],
  ])('%s', (name, document, accepted, refused) => {
    for (const value of accepted) expect(problemsOf(document(value))).toEqual([]);
    for (const value of refused) {
      const [problem = '', ...others] = problemsOf(document(value));
      expect([/^[: ]/.test(problem.replace(name, '')), others]).toEqual([true, []]);
    }
  });

  test('a value of up to 80 characters is quoted whole, a longer one cut', () => {
    const [whole] = problemsOf({ jitterSeconds: text(78) });
    expect(whole).toContain(`, got "${text(78)}"`);
    const [cut] = problemsOf({ jitterSeconds: text(79) });
    expect(cut).toContain(`, got "${text(76)}...`);
  });
});

const libraryWords =
  /Invalid (input|option|ISO|key|URL)|expected (string|number|object|array|boolean|int|record)|received|Too (big|small)|Unrecognized|Unexpected (token|end)|SyntaxError|RangeError|undefined|NaN|\[object|is a invalid/;

/** Values that are close to what a policy contains. */
const nearlyValid = fc.oneof(
  anyText,
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0.5,
    '*/5 * * * *',
    '0-99999999 * * * *',
    'tls://{iothub}:8883',
    [],
    {},
    [{}],
    [[]],
    'x'.repeat(60_000),
    '{'.repeat(2000),
    Array(600).fill('tcp://a:1'),
  ),
  fc.integer(),
);

const example = JSON.stringify(policyOf({}, checks));

/** Text that is no JSON, any JSON, a policy with one part replaced, and a policy that is cut or changed. */
const policyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc
    .tuple(
      fc.constantFrom('\\"', '/* ', '[', '{"a":', '0,', '"a":1,', '//\n', "'", '\u202e', '1e9'),
      fc.nat(20_000),
    )
    .map(([text, count]) => text.repeat(count).slice(0, 65_536)),
  anyDocument(nearlyValid).map((document) => JSON.stringify(document)),
  fc
    .tuple(
      fc.constantFrom(...Object.keys(policyOf({}, checks))),
      fc.constantFrom(
        ...checks.flatMap(({ id, params }) => Object.keys(params.parse({})).map((key) => [id, key])),
      ),
      nearlyValid,
    )
    .map(([key, [id = '', parameter = ''], value]) =>
      JSON.stringify({ [key]: value, checks: { [id]: { [parameter]: value }, [key]: value } }),
    ),
  fc
    .tuple(fc.constantFrom(example, policyExample(checks)), fc.nat(), fc.nat(20), anyText)
    .map(([text, at, length, put]) => {
      const from = at % text.length;
      return `${text.slice(0, from)}${put}${text.slice(from + length)}`;
    }),
);

test('a key that names no product is a problem in the words of its check', () => {
  expect(problemsOf({ checks: { runtimeLifecycle: { dates: { iotedge: '2030-01-01' } } } })).toEqual([
    'checks.runtimeLifecycle.dates.iotedge: must be a product and its version, such as "iotedge 1.7", got "iotedge"',
  ]);
});
