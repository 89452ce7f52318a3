import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { decodeText } from '../../src/policy/decode-text.ts';
import { policyJsonSchema } from '../../src/policy/example.ts';
import { parseJsonc } from '../../src/policy/jsonc.ts';
import { type PolicyOutcome, readPolicy, readPolicyText } from '../../src/policy/policy.ts';
import type { Schema } from '../../src/policy/schema-format.ts';
import { policyOf } from '../support/fixtures/policies.ts';
import { anyKey, anyText, checkProperty } from '../support/properties.ts';

/** A text with a part of it replaced. */
interface Damage {
  readonly at: number;
  readonly length: number;
  readonly put: string;
}

const tokens = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '"a"',
  '0',
  '01',
  '1.',
  '-',
  '1e9',
  '1e999',
  'null',
  'nul',
];
const anyDamage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(),
  length: fc.oneof(fc.constant(0), fc.constant(1), fc.nat(12)),
  put: fc.oneof(
    fc.constantFrom(...tokens, '', '//', '/*', '*/', '\n', '\u0000', '\u2028', '\ufeff', '\ud800', '\\u12'),
    fc.string({ maxLength: 4 }),
  ),
});

const damaged = (text: string, damages: readonly Damage[]): string =>
  damages.reduce((before, { at, length, put }) => {
    const from = at % (before.length + 1);
    return `${before.slice(0, from)}${put}${before.slice(from + length)}`;
  }, text);

const anyDamages = fc.array(anyDamage, { minLength: 1, maxLength: 3 });

/** What a parser makes of a text: its value, or that it is refused. */
function outcomeOf(parse: () => unknown): { readonly value: unknown } | 'refused' {
  try {
    return { value: parse() };
  } catch (error) {
    if (error instanceof SyntaxError) return 'refused';
    throw error;
  }
}

/** For JSON.parse, which makes an infinite number of one that is too large. */
const finite = (_: string, value: unknown): unknown => {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) throw new SyntaxError();
  return value;
};

/** Expects that a position lies in a text. */
function expectWithin(text: string, position: string | undefined): void {
  const [, line = '', column = ''] = /^line (\d+), column (\d+)$/.exec(position ?? '') ?? [];
  const written = text.replace(/^\uFEFF/, '').split('\n')[Number(line) - 1];
  expect(written, `${position} of ${JSON.stringify(text)}`).toBeDefined();
  expect(Number(column)).toBeGreaterThanOrEqual(1);
  expect(Number(column)).toBeLessThanOrEqual((written?.length ?? 0) + 1);
}

describe('the JSONC parser', () => {
  const json = fc.json({ maxDepth: 4 });
  const gap = fc.constantFrom('', ' ', '\n', '\r\n\t', '/**/', '/* " { // */', '// ] "\n', '/***/ /*/*/');

  test('reads damaged JSON exactly as JSON.parse does', () => {
    checkProperty(
      fc.property(json, anyDamages, (text, damages) => {
        const given = damaged(text, damages);
        // JSON has neither comments nor a byte order mark.
        fc.pre(!/\/[/*]|^\ufeff/.test(given));
        const expected = outcomeOf(() => JSON.parse(given, finite));
        expect(outcomeOf(() => parseJsonc(given).value)).toEqual(expected);
      }),
      2000,
    );
  });

  test('reads a document with comments between all parts as it reads the document without', () => {
    const apart = /("(?:[^"\\]|\\.)*"|[{}[\],:])/;
    checkProperty(
      fc.property(json, fc.array(gap, { minLength: 1, maxLength: 20 }), (text, gaps) => {
        const parts = text.split(apart).filter((part) => part.trim() !== '');
        const commented = parts.map((part, i) => `${gaps[i % gaps.length]}${part}`).join('');
        expect(parseJsonc(`\ufeff${commented}${gaps[0]}`).value).toEqual(JSON.parse(text));
      }),
      500,
    );
  });

  test('names a position within the text for whatever it refuses', () => {
    checkProperty(
      fc.property(json, anyDamages, (text, damages) => {
        const given = damaged(text, damages);
        try {
          const { duplicates, positionAt } = parseJsonc(given);
          for (const { offset } of duplicates) expectWithin(given, positionAt(offset));
        } catch (error) {
          const [, position] =
            /^(?:not JSON: )?(line \d+, column \d+): \S/.exec(String((error as Error).message)) ?? [];
          expect(error).toBeInstanceOf(SyntaxError);
          expectWithin(given, position);
        }
      }),
      1000,
    );
  });

  test('reads bytes as text or refuses their encoding', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ maxLength: 8 }).map((text) => Buffer.from(text, 'utf16le')),
    );
    checkProperty(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const bytes = Buffer.concat(pieces);
        try {
          expect(Buffer.from(decodeText(bytes))).toEqual(bytes);
        } catch (error) {
          expect((error as Error).message).toMatch(
            /^the text is UTF-16; save it as UTF-8$|^this is not text: byte \d+ is zero$|^line \d+, column \d+: byte \d+ is not UTF-8; save the text as UTF-8$/,
          );
        }
      }),
      2000,
    );
  });
});

type Container = Record<PropertyKey, unknown>;
type Path = readonly (string | number)[];

/** The paths of all parts of a document. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return [path, ...keys.flatMap((key) => pathsOf((value as Container)[key], [...path, key]))];
}

/** A change of one part of a document. */
type Mutation = (document: unknown) => unknown;

/** The document with another value at a path; without that part for `undefined`. */
function replaced(document: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const copy = (Array.isArray(document) ? [...document] : { ...(document as object) }) as Container;
  const inner = replaced(copy[step], rest, value);
  if (inner === undefined) delete copy[step];
  else
    Object.defineProperty(copy, step, { value: inner, enumerable: true, configurable: true, writable: true });
  return Array.isArray(copy) ? copy.filter(() => true) : copy;
}

const at = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => (value as Container)[step], document);

const nearby = (value: unknown): unknown[] => {
  if (typeof value === 'number') return [value + 1, value - 1, value * 10, -value, value / 3, String(value)];
  if (typeof value === 'string')
    return [`${value} `, value.slice(1), value.toUpperCase(), `${value}${value}`, [value], `{${value}}`];
  if (typeof value === 'boolean') return [!value, String(value), Number(value)];
  if (Array.isArray(value)) return [[], [...value, ...value], [value], value[0], Array(200).fill(value[0])];
  return [null, [], {}, [value], 'text', false];
};

const anyMutation: fc.Arbitrary<Mutation> = fc
  .record({
    pick: fc.nat(),
    choice: fc.nat(),
    kind: fc.constantFrom('nearby', 'nearby', 'nearby', 'other', 'remove', 'key', 'copy'),
    key: anyKey,
    other: fc.oneof(
      anyText,
      fc.constantFrom<unknown>(null, 0, -0.5, 1e300, true, [], {}, [[]], 'x'.repeat(2049)),
    ),
  })
  .map(({ pick, choice, kind, key, other }) => (document) => {
    const paths = pathsOf(document);
    const path = paths[pick % paths.length] ?? [];
    const value = at(document, path);
    if (kind === 'remove') return replaced(document, path, undefined) ?? {};
    if (kind === 'other') return replaced(document, path, other);
    if (kind === 'copy') return replaced(document, path, at(document, paths[choice % paths.length] ?? []));
    if (kind === 'key' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return replaced(document, [...path, key], other);
    }
    const values = nearby(value);
    return replaced(document, path, values[choice % values.length]);
  });

/** Every key at its default, and an example for what has none. */
function filled(schema: Schema): unknown {
  if (schema.properties) {
    const entries = Object.entries(schema.properties).map(([key, inner]) => [key, filled(inner)]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }
  return schema.examples?.[0] ?? schema.default;
}

const seeds = [
  {},
  policyOf({}, checks),
  filled(policyJsonSchema(checks) as Schema),
  {
    schedule: '0 */10 * * * mon-fri',
    report: { minIntervalSeconds: 60, heartbeatMinutes: 1 },
    exceptions: [{ check: 'diskSpace', target: '/', reason: 'too_small', because: 'x', until: '2027-03-31' }],
    checks: { clockDrift: { warnSeconds: 10, failSeconds: 10 }, diskSpace: { enabled: false } },
  },
];
const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(anyMutation, { maxLength: 4 }))
  .map(([seed, mutations]) =>
    mutations.reduce((document, mutate) => mutate(document) ?? null, seed as unknown),
  );

/** A path of a document and what follows it, as problems begin. */
const pathFirst =
  /^(?:policy|[^\s.[\]":]+|\[\d+\]|\["(?:[^"\\]|\\.)*(?:"\]|\.\.\.))(?:\.[^\s.[\]":]+|\[\d+\]|\["(?:[^"\\]|\\.)*(?:"\]|\.\.\.))*(?:: | )\S/u;

describe('the policy', () => {
  const problemsOf = (outcome: PolicyOutcome) => (outcome.accepted ? [] : outcome.problems);

  test('the seeds are valid', () => {
    for (const seed of seeds) expect(problemsOf(readPolicy(seed, checks))).toEqual([]);
  });

  test('a mutated one never throws; it is accepted, or each of its problems names a path and a line', () => {
    let [accepted, refused] = [0, 0];
    checkProperty(
      fc.property(mutated, (document) => {
        const text = JSON.stringify(document, undefined, 1);
        const { outcome } = readPolicyText(text, checks, 1000);
        expect(outcome.accepted).toBe(readPolicy(JSON.parse(text), checks).accepted);
        if (outcome.accepted) accepted += 1;
        else refused += 1;
        expect(outcome.accepted || outcome.problems.length > 0).toBe(true);
        for (const problem of problemsOf(outcome)) {
          const [, position, sentence = ''] = /^(line \d+, column \d+): (.*)$/s.exec(problem) ?? [];
          expectWithin(text, position);
          expect(sentence).toMatch(pathFirst);
        }
      }),
      600,
    );
    // Both happen often enough to say something, on a slow machine too.
    expect(Math.min(accepted, refused)).toBeGreaterThan((accepted + refused) / 8);
  });

  test('an accepted one is accepted again with its defaults, and means the same', () => {
    checkProperty(
      fc.property(mutated, (document) => {
        const outcome = readPolicy(document, checks);
        if (!outcome.accepted) return;
        expect(readPolicy(JSON.parse(JSON.stringify(outcome.policy)), checks)).toEqual(outcome);
        expect(readPolicyText(JSON.stringify(document), checks).outcome).toEqual(outcome);
      }),
      400,
    );
  });

  test('a damaged text of one never throws, and every problem is on a line of it', () => {
    const texts = seeds.map((seed) => JSON.stringify(seed, undefined, 2));
    checkProperty(
      fc.property(fc.constantFrom(...texts), anyDamages, (text, damages) => {
        const given = damaged(text, damages);
        for (const problem of problemsOf(readPolicyText(given, checks, 1000).outcome)) {
          expectWithin(given, /line \d+, column \d+/.exec(problem)?.[0]);
        }
      }),
      400,
    );
  });
});
