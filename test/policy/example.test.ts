import { describe, expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { policyExample, policyJsonSchema } from '../../src/policy/example.ts';
import { parseJsonc } from '../../src/policy/jsonc.ts';
import { readPolicy, readPolicyText } from '../../src/policy/policy.ts';
import type { Schema } from '../../src/policy/schema-format.ts';
import { policyOf } from '../support/fixtures/policies.ts';

test('the example is accepted and changes nothing', () => {
  const example = parseJsonc(policyExample(checks)).value;
  expect(policyOf(example, checks)).toEqual(policyOf({}, checks));
  expect(example).not.toEqual({});
});

test('the example shows every key, by name or as a comment', () => {
  const text = policyExample(checks);
  for (const key of keysOf(policyJsonSchema(checks))) expect(text).toContain(`"${key}":`);
});

test('every key of the example has a comment above it', () => {
  const lines = policyExample(checks).split('\n');
  const keys = lines.flatMap((line, i) => (/^ *(?:\/\/ )?"\w+":/.test(line) ? [i] : []));
  expect(keys.length).toBeGreaterThan(50);
  for (const i of keys) expect(lines[i - 1]).toMatch(/^ *\/\/ \S.{10,}/);
});

test('every parameter of every check is described', () => {
  const undescribed = (schema: Schema, path: string): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
      ...(inner.description ? [] : [`${path}${key}`]),
      ...undescribed(inner, `${path}${key}.`),
    ]);
  expect(undescribed(policyJsonSchema(checks) as Schema, '')).toEqual([]);
});

describe('what is commented out is valid without the comment', () => {
  const lines = policyExample(checks).split('\n');
  const commented = lines.flatMap((line, i) => (/^ *\/\/ ["{]/.test(line) ? [i] : []));
  const uncomment = (some: readonly number[]) =>
    lines.map((line, i) => (some.includes(i) ? line.replace('// ', '') : line)).join('\n');

  test.each(commented.map((i) => [i + 1, lines[i]?.trim() ?? '']))('line %d: %s', (line) => {
    const { outcome } = readPolicyText(uncomment([line - 1]), checks);
    expect(outcome).toMatchObject({ accepted: true });
    expect(outcome).not.toEqual(readPolicy({}, checks));
  });

  test('all at once', () => {
    expect(commented.length).toBeGreaterThan(checks.length);
    expect(readPolicyText(uncomment(commented), checks).outcome).toMatchObject({ accepted: true });
  });
});

test('the JSON Schema knows the same keys as the policy, and no others', () => {
  const schema = policyJsonSchema(checks);
  expect(schema.additionalProperties).toBe(false);
  expect([...keysOf(schema)]).toEqual(
    expect.arrayContaining(['schedule', 'exceptions', 'until', 'clockDrift', 'warnSeconds', 'enabled']),
  );
  // Every key has a default, so none is required.
  expect(schema.required).toBeUndefined();
});

/** Every key a JSON Schema names, at any depth. */
function keysOf(schema: unknown): Set<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const properties = 'properties' in schema ? (schema.properties ?? {}) : {};
  const items = 'items' in schema ? keysOf(schema.items) : [];
  const nested = Object.entries(properties).flatMap(([key, value]) => [key, ...keysOf(value)]);
  return new Set([...nested, ...items]);
}
