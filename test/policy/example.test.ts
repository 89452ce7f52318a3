import { expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { policyExample, policyJsonSchema } from '../../src/policy/example.ts';
import { parseJsonc } from '../../src/policy/jsonc.ts';
import { policyOf } from '../support/fixtures/policies.ts';

test('the example is accepted and changes nothing', () => {
  const example = parseJsonc(policyExample(checks));
  expect(policyOf(example, checks)).toEqual(policyOf({}, checks));
  expect(example).not.toEqual({});
});

test('the example shows every key, by name or as a comment', () => {
  const text = policyExample(checks);
  const { exceptions: _, ...properties } = policyJsonSchema(checks).properties ?? {};
  for (const key of keysOf({ properties })) expect(text).toContain(`"${key}":`);
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
