import { z } from 'zod';
import type { Check } from '../check.ts';
import { policySchema } from './policy.ts';

interface Property {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Property>>;
}

/** The policy's JSON Schema, as editors and validators read it. */
export const policyJsonSchema = (checks: readonly Check[]) =>
  z.toJSONSchema(policySchema(checks), { io: 'input' });

/** A starting point: a policy with every key at its default, and a comment on each. */
export function policyExample(checks: readonly Check[]): string {
  const schema = policyJsonSchema(checks) as Property;
  const head = '// Every key is optional; these are the defaults. Comments are allowed in a policy file.';
  return `${head}\n${render(schema, '').join('\n')}\n`;
}

function render({ properties = {} }: Property, indent: string): string[] {
  const inner = `${indent}  `;
  const entries = Object.entries(properties);
  // A key without a default becomes a comment, which takes no comma.
  const last = entries.findLastIndex(([, { default: value }]) => value !== undefined);
  const lines = entries.flatMap(([key, property], i) => {
    const comment = property.description ? [`${inner}// ${property.description}`] : [];
    const comma = i < last ? ',' : '';
    if (property.properties) {
      const nested = render(property, inner).join('\n').trimStart();
      return [...comment, `${inner}"${key}": ${nested}${comma}`];
    }
    if (property.default === undefined) return [...comment, `${inner}// "${key}": ...`];
    return [...comment, `${inner}"${key}": ${JSON.stringify(property.default)}${comma}`];
  });
  return [`${indent}{`, ...lines, `${indent}}`];
}
