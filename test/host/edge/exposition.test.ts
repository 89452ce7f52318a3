import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { maxPageBytes, parseExposition } from '../../../src/host/edge/exposition.ts';
import type { MetricSample } from '../../../src/host/edge/types.ts';
import { anyLines, mutated } from '../../support/mutations.ts';
import { checkProperty } from '../../support/properties.ts';

const parse = (page: string) => parseExposition(Buffer.from(page));

/** The message of the error for a page. */
function refusal(page: string | Buffer): string {
  try {
    parseExposition(Buffer.from(page));
  } catch (error) {
    expect(error).toBeInstanceOf(CannotTell);
    expect(error).toMatchObject({ reason: 'unreadable' });
    return error instanceof Error ? error.message : '';
  }
  return 'accepted';
}

/** A page as prometheus-net writes it for edgeHub. */
const page = `# HELP edgehub_messages_dropped_total Messages cleaned up because of TTL expired
# TYPE edgehub_messages_dropped_total counter
edgehub_messages_dropped_total{iothub="h.azure-devices.net",edge_device="gw1",instance_number="8f",reason="no_route",from="gw1/m",from_route_output="o",ms_telemetry="True"} 3
# TYPE edgehub_offline_duration_seconds summary
edgehub_offline_duration_seconds{id="gw1/$edgeHub",quantile="0.5"} NaN
edgehub_offline_duration_seconds_sum{id="gw1/$edgeHub"} 93.2
edgehub_offline_duration_seconds_count{id="gw1/$edgeHub"} 1
edgehub_connected_clients 2
`;

test('a page of edgeHub: counters, gauges without labels, and each part of a summary', () => {
  const samples = parse(page);
  expect(samples.map(({ name, value }) => [name, value])).toEqual([
    ['edgehub_messages_dropped_total', 3],
    ['edgehub_offline_duration_seconds', Number.NaN],
    ['edgehub_offline_duration_seconds_sum', 93.2],
    ['edgehub_offline_duration_seconds_count', 1],
    ['edgehub_connected_clients', 2],
  ]);
  expect(samples[0]?.labels).toEqual({
    iothub: 'h.azure-devices.net',
    edge_device: 'gw1',
    instance_number: '8f',
    reason: 'no_route',
    from: 'gw1/m',
    from_route_output: 'o',
    ms_telemetry: 'True',
  });
});

test.each<[string, MetricSample[]]>([
  ['', []],
  ['\n\n  \n', []],
  ['# EOF\n#\n  # not a metric{ 5\n', []],
  ['a 1\n', [{ name: 'a', labels: {}, value: 1 }]],
  ['a{} 1\n', [{ name: 'a', labels: {}, value: 1 }]],
  ['  a { b = "c" , }\t1 \n', [{ name: 'a', labels: { b: 'c' }, value: 1 }]],
  ['a 1 1796256000000\n', [{ name: 'a', labels: {}, value: 1 }]],
  ['a 1 -1\n', [{ name: 'a', labels: {}, value: 1 }]],
  ['a:b_9 -1.5e-3\n', [{ name: 'a:b_9', labels: {}, value: -0.0015 }]],
  ['a +Inf\n', [{ name: 'a', labels: {}, value: Number.POSITIVE_INFINITY }]],
  ['a -Inf\n', [{ name: 'a', labels: {}, value: Number.NEGATIVE_INFINITY }]],
  ['a{b="x\\\\y\\"z\\n\\t"} 1\n', [{ name: 'a', labels: { b: 'x\\y"z\n\\t' }, value: 1 }]],
  ['a{b="} 5 # ,"} 1\n', [{ name: 'a', labels: { b: '} 5 # ,' }, value: 1 }]],
  ['a{b=""} 1\n', [{ name: 'a', labels: { b: '' }, value: 1 }]],
  ['a{b="grün \u{1F4BE}"} 1\n', [{ name: 'a', labels: { b: 'grün \u{1F4BE}' }, value: 1 }]],
  ['a{constructor="x"} 1\n', [{ name: 'a', labels: { constructor: 'x' }, value: 1 }]],
])('%j is read', (text, samples) => {
  expect(parse(text)).toEqual(samples);
});

test('a label that is called __proto__ is a label like others', () => {
  const [sample] = parse('a{__proto__="x"} 1\n');
  expect(Object.entries(sample?.labels ?? {})).toEqual([['__proto__', 'x']]);
});

describe('a page with a line that is no sample is refused as a whole, because what is left out would count as zero', () => {
  test.each([
    '<html>',
    '{"a":1}',
    'a',
    'a{',
    'a{}',
    'a{b} 1',
    'a{b=c} 1',
    'a{b="c} 1',
    'a{b="c\\"} 1',
    'a{b="c"d="e"} 1',
    'a{,} 1',
    'a{b="c",,} 1',
    'a{b="c",b="d"} 1',
    'a{9="c"} 1',
    'a{b:c="d"} 1',
    '9a 1',
    'ä 1',
    'a one',
    'a 0x10',
    'a 1_000',
    'a --1',
    'a 1e',
    'a .',
    'a infinity',
    'a 1 2 3',
    'a 1 now',
    'a 1 1.5',
    'a 1 # {x="y"} 1',
    'a 1\r',
    '\u0000',
  ])('%j', (line) => {
    expect(refusal(`b 1\n${line}\nc 1\n`)).toBe('Its line 2 is not a sample of a metric');
  });

  test('also when its last line is cut off', () => {
    expect(refusal('a 1\nb 12')).toBe('Its line 2 is cut off');
  });
});

test.each([
  [`a 1\n${'x'.repeat(16_385)}\n`, 'Its line 2 has more than 16384 characters'],
  ['a 1\n'.repeat(50_001), 'It has more than 50000 lines'],
  [' '.repeat(maxPageBytes + 1), `It has more than ${maxPageBytes} bytes`],
  [
    `a{${Array.from({ length: 65 }, (_, i) => `l${i}="v"`).join(',')}} 1\n`,
    'Its line 1 is not a sample of a metric',
  ],
  [`${'a'.repeat(257)} 1\n`, 'Its line 1 is not a sample of a metric'],
  [`a ${'1'.repeat(41)}\n`, 'Its line 1 is not a sample of a metric'],
])('a page beyond a limit is refused: %#', (text, message) => {
  expect(refusal(text)).toBe(message);
});

// Enough of each that quadratic work would take minutes.
test.each([
  ['quotes', 'a{b="\\"'],
  ['backslashes', '\\'],
  ['digits', '1'],
  ['braces', 'a{'],
  ['blanks', ' '],
  ['labels', 'a{b="c",'],
  ['comments', '#'],
])('a page of %s is read in linear time', (_, text) => {
  const line = text.repeat(Math.floor(16_000 / text.length));
  const started = performance.now();
  refusal(`a 1\n${`#${line}\n`.repeat(30)}${line}\n`);
  refusal(`${line}\n`.repeat(60));
  expect(performance.now() - started).toBeLessThan(1000);
});

const name = fc.stringMatching(/^[a-zA-Z_:][\w:]{0,20}$/);
const labels = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z_]\w{0,20}$/),
  // Lone surrogates do not survive UTF-8.
  fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => Buffer.from(text).toString() === text),
  { maxKeys: 8 },
);
const sample = fc.record({
  name,
  labels,
  value: fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, Infinity, -Infinity)),
});
const format = ({ name, labels, value }: MetricSample): string => {
  const pairs = Object.entries(labels).map(
    ([label, text]) =>
      `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  const number = Math.abs(value) === Infinity ? (value > 0 ? '+Inf' : '-Inf') : String(value);
  return `${name}{${pairs.join(',')}} ${number}\n`;
};

test('what is written is read again, whatever its labels and values', () => {
  checkProperty(
    fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
      const read = parse(samples.map(format).join('# HELP x y\n'));
      expect(read).toEqual(
        samples.map((each) => ({ ...each, labels: { ...each.labels }, value: each.value + 0 })),
      );
    }),
    500,
  );
});

test('whatever the page, it is read or refused', () => {
  const pages = fc.oneof(
    mutated(Buffer.from(page)),
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    anyLines(['a', 'a{', 'b="c"', '"', '\\', '}', ' 1', 'NaN', '#', ','], ['', ' ', '\n', ',', '=']).map(
      (text) => Buffer.from(text),
    ),
  );
  checkProperty(
    fc.property(pages, (bytes) => {
      const message = refusal(bytes);
      expect(message).toMatch(/^(accepted|Its? .*)$/);
      expect(message.length).toBeLessThan(100);
    }),
    2000,
  );
});
