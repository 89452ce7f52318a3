import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLog, logLevels } from '../src/log.ts';

// LogMessageParser.cs of Azure/iotedge, without the timestamp that the container engine prepends.
const parser =
  /^\s*(?:<(?<level>\d)>)?\s*(?:(?<time>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} [+-]\d{2}:\d{2})\s)?\s*(?<text>.*)\n$/;

function logged(level = 'trace', format: 'iotedge' | 'json' = 'iotedge') {
  const lines: string[] = [];
  return { lines, log: createLog(format, level, { write: (line) => void lines.push(line) }) };
}

const parsed = (line: string | undefined) => parser.exec(line ?? '')?.groups;

test.each([
  ['fatal', '0', '[FTL]'],
  ['error', '3', '[ERR]'],
  ['warn', '4', '[WRN]'],
  ['info', '6', '[INF]'],
  ['debug', '7', '[DBG]'],
  ['trace', '7', '[VRB]'],
] as const)('edgeAgent reads %s as level %s', (level, priority, tag) => {
  const { log, lines } = logged();
  log[level]({}, 'Listening');
  expect(parsed(lines[0])).toMatchObject({ level: priority, text: `${tag} - Listening` });
  expect(lines).toHaveLength(1);
});

test('a line has exactly the documented format', () => {
  vi.useFakeTimers({ now: new Date('2026-01-02T03:04:05.006Z') });
  onTestFinished(() => void vi.useRealTimers());
  const { log, lines } = logged();
  log.info({ port: 9600 }, 'Listening');
  log.error({ port: 9601 }, 'Closed');
  expect(lines).toEqual([
    '<6> 2026-01-02 03:04:05.006 +00:00 [INF] - Listening port=9600\n',
    '<3> 2026-01-02 03:04:05.006 +00:00 [ERR] - Closed port=9601\n',
  ]);
});

const circular: { self?: object } = {};
circular.self = circular;

describe('a field', () => {
  test.each<[string, unknown, string]>([
    ['one word', 'edge', 'key=edge'],
    ['a number', 7, 'key=7'],
    ['text with a blank', 'two words', 'key="two words"'],
    ['text with a quote', 'say "hi"', 'key="say \\"hi\\""'],
    ['text with an equals sign', 'a=b', 'key="a=b"'],
    ['empty', '', 'key=""'],
    ['null', null, 'key=null'],
    ['true', true, 'key=true'],
    ['an object', { a: 1 }, 'key="{\\"a\\":1}"'],
    ['a big integer', 2n ** 64n, 'key=18446744073709551616'],
    ['circular', circular, 'key=[Circular]'],
  ])('with a value that is %s is separate from the next one', (_, value, text) => {
    const { log, lines } = logged();
    log.info({ key: value, last: 1 }, 'Text');
    expect(parsed(lines[0])?.text).toBe(`[INF] - Text ${text} last=1`);
  });

  test('that is undefined is left out', () => {
    const { log, lines } = logged();
    log.info({ key: undefined, last: 1 }, 'Text');
    expect(parsed(lines[0])?.text).toBe('[INF] - Text last=1');
  });

  test.each([
    'one\ntwo',
    'one\r\ntwo',
    '\n<0> 2026-01-01 00:00:00.000 +00:00 [FTL] - forged',
    '\u001b[31mred',
    'a\u0085b',
  ])('cannot start a new line or control the terminal: %j', (value) => {
    const { log, lines } = logged();
    log.info({ key: value }, value);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(parsed(lines[0])?.level).toBe('6');
  });
});

describe('a list', () => {
  const problems = ['checks.a: must be 1 to 9, got "x"', 'checks.b: unknown key'];

  test('follows the text as plain sentences, before the other fields', () => {
    const { log, lines } = logged();
    log.warn({ version: 7, problems }, 'Policy refused');
    expect(parsed(lines[0])?.text).toBe(
      '[WRN] - Policy refused: checks.a: must be 1 to 9, got "x"; checks.b: unknown key version=7',
    );
  });

  test('is an array in JSON', () => {
    const { log, lines } = logged('info', 'json');
    log.warn({ version: 7, problems }, 'Policy refused');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ version: 7, problems, msg: 'Policy refused' });
  });

  test.each<[string, unknown[], string]>([
    ['without entries', [], 'Text last=1'],
    ['of numbers', [1, 2], 'Text: 1; 2 last=1'],
    ['of objects', [{ a: 1 }], 'Text: {"a":1} last=1'],
    ['with line breaks', ['a\nb', '\u001b[31mc'], 'Text: a b;  [31mc last=1'],
  ])('%s stays on one line', (_, list, text) => {
    const { log, lines } = logged();
    log.info({ list, last: 1 }, 'Text');
    expect(lines).toHaveLength(1);
    expect(parsed(lines[0])?.text).toBe(`[INF] - ${text}`);
  });
});

test('an error is logged with its causes on the same line, without its stack', () => {
  const { log, lines } = logged();
  log.warn({ err: new Error('Could not read', { cause: new Error('ENOENT') }) }, 'No memory');
  expect(parsed(lines[0])?.text).toBe('[WRN] - No memory err="Could not read: ENOENT"');
});

test('an error that is logged alone is one line with its message as the text', () => {
  const { log, lines } = logged();
  log.error(new Error('broken'));
  expect(parsed(lines[0])?.text).toBe('[ERR] - broken err=broken');
});

test.each([
  ['fatal', 1],
  ['error', 2],
  ['warning', 3],
  ['info', 4],
  ['information', 4],
  ['debug', 5],
  ['verbose', 6],
])('RuntimeLogLevel %s logs %d of the six levels', (name, count) => {
  const { log, lines } = logged(logLevels[name]);
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) log[level]({}, 'Text');
  expect(lines).toHaveLength(count);
});

test('as JSON, each line is one object, even with a newline in a value', () => {
  const { log, lines } = logged('info', 'json');
  log.info({ key: 'one\ntwo' }, 'Text');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]*\n$/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, msg: 'Text', key: 'one\ntwo' });
});
