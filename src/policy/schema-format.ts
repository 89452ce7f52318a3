import type { Path } from './jsonc.ts';

/** The part of JSON Schema that parameters of checks use. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
}

/** The schema of the part of a document at a path; undefined for a part that the schema does not know. */
export function schemaAt(schema: Schema, path: Path): Schema | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return schema;
  const { properties = {}, additionalProperties, items } = schema;
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const known = Object.hasOwn(properties, step) ? properties[String(step)] : others;
  const inner = typeof step === 'number' ? items : known;
  return inner && schemaAt(inner, rest);
}

/** The keys of an object. */
export const keysOf = (schema: Schema | undefined): readonly string[] => [
  ...Object.keys(schema?.properties ?? {}),
  ...(schema?.propertyNames?.enum ?? []).map(String),
];

/** What a value must be, as it stands after `must be`: `a number from 0 to 100`. */
export function describeSchema(schema: Schema): string {
  const { type, anyOf } = schema;
  if (anyOf) return listed(anyOf.map(describeSchema));
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return listed(schema.enum.map((each) => JSON.stringify(each)));
  if (type === 'string') return describeText(schema);
  if (type === 'number' || type === 'integer') return describeNumber(schema);
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return describeArray(schema);
  if (type === 'null') return 'null';
  return type === 'object' ? 'an object' : 'a JSON value';
}

const listed = (texts: readonly string[]): string =>
  texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;

function describeText({ format, minLength = 0, maxLength }: Schema): string {
  if (format === 'date') return 'a date such as "2027-03-31"';
  if (format === 'uri') return 'a URL';
  if (maxLength === undefined) return minLength > 0 ? 'text that is not empty' : 'text';
  return minLength > 0
    ? `text of ${minLength} to ${maxLength} characters`
    : `text of at most ${maxLength} characters`;
}

function describeArray({ minItems = 0, maxItems }: Schema): string {
  if (maxItems !== undefined)
    return `an array of ${minItems > 0 ? `${minItems} to` : 'at most'} ${maxItems} entries`;
  return minItems > 0 ? 'an array that is not empty' : 'an array';
}

function describeNumber({ type, minimum, maximum, exclusiveMinimum }: Schema): string {
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  const [from, to] = [limit(minimum), limit(maximum)];
  if (exclusiveMinimum !== undefined) {
    return to === undefined
      ? `${kind} above ${exclusiveMinimum}`
      : `${kind} above ${exclusiveMinimum} and at most ${to}`;
  }
  if (from !== undefined && to !== undefined) return `${kind} from ${from} to ${to}`;
  if (from !== undefined) return `${kind} of at least ${from}`;
  return to === undefined ? kind : `${kind} of at most ${to}`;
}

/** Zod gives every integer the range of safe integers, which says nothing. */
const limit = (value: number | undefined): number | undefined =>
  value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value;
