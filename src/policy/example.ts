import * as z from 'zod';
import type { Check } from '../check.ts';
import { policySchema } from './schema.ts';
import { describeSchema, type Schema } from './schema-format.ts';

/** The policy's JSON Schema, as editors and validators read it. */
export const policyJsonSchema = (checks: readonly Check[]) =>
  z.toJSONSchema(policySchema(checks), { io: 'input' });

/** A starting point: a policy with every key at its default, and a comment on each. */
export function policyExample(checks: readonly Check[]): string {
  const head = [
    '// Every key is optional, and these are the defaults. Lines that are commented out are examples.',
    '// Comments are allowed in a policy file, but not in the module twin.',
  ];
  return `${[...head, ...render(policyJsonSchema(checks) as Schema, '')].join('\n')}\n`;
}

/** An object, with every line valid once it is uncommented: keys without a default come first, with a comma. */
function render({ properties = {} }: Schema, indent: string): string[] {
  const inner = `${indent}  `;
  const entries = Object.entries(properties);
  const hasDefault = ([, schema]: [string, Schema]) => schema.default !== undefined || schema.properties;
  const examples = entries.filter((entry) => !hasDefault(entry));
  const defaults = entries.filter(hasDefault);
  const lines = [
    ...examples.flatMap(([key, schema]) => [
      comment(schema, inner),
      `${inner}// "${key}": ${JSON.stringify(schema.examples?.[0])},`,
    ]),
    ...defaults.flatMap(([key, schema], i) => {
      const [first, ...rest] = valueLines(schema, inner);
      const value = [`${inner}"${key}": ${first}`, ...rest];
      if (i < defaults.length - 1) value.push(`${value.pop()},`);
      return [comment(schema, inner), ...value];
    }),
  ];
  return [`${indent}{`, ...lines, `${indent}}`];
}

function valueLines(schema: Schema, indent: string): string[] {
  if (schema.properties) return render(schema, indent).with(0, '{');
  const [example] = schema.examples ?? [];
  if (!Array.isArray(example)) return [JSON.stringify(schema.default)];
  return ['[', ...example.map((entry) => `${indent}  // ${JSON.stringify(entry)}`), `${indent}]`];
}

/** What a key is for, and which values it accepts. */
function comment(schema: Schema, indent: string): string {
  const { description = '', properties } = schema;
  const accepted = describeSchema(schema);
  const accepts = properties || accepted === 'text' ? '' : `Accepts ${accepted}.`;
  return `${indent}// ${[description, accepts].filter(Boolean).join(' ')}`;
}
