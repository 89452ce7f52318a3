import * as z from 'zod';
import { withoutCredentials, withoutSecrets } from '../endpoint.ts';
import { didYouMean } from '../nearest.ts';
import { maxDepth, maxValues, type Path, type Written } from './jsonc.ts';
import { describeSchema, keysOf, type Schema, schemaAt } from './schema-format.ts';

/** Something wrong with a document. Only the ones that are reported are put into words. */
export interface Problem {
  readonly path: Path;
  /** Where it is written, if not at its path. */
  readonly offset?: number;
  /** A sentence that names the path. */
  describe(): string;
}

/** Problems that are listed in the twin and the log. */
export const maxProblems = 20;
const maxProblemLength = 500;
const maxQuoteLength = 80;
const maxKeyLength = 64;
/** Of the values that a problem lists although one of them is near. */
const maxListed = 5;
/** Of a text in a document; the longest targets and URLs that are accepted. */
const maxTextLength = 2048;

/** Passed to zod, so that an issue whose schema has no words of its own is recognised. */
export const withoutWords: z.core.ParseContext<z.core.$ZodIssue> = {
  reportInput: true,
  error: () => noWords,
};
const noWords = '\u0000';

/** The first problems, one sentence each, and how many more there are; by line for a document that was written. */
export function listProblems(
  problems: readonly Problem[],
  limit: number,
  written?: Written,
): readonly string[] {
  const placed = problems.map((problem) => ({
    problem,
    offset: problem.offset ?? written?.offsetOf(problem.path) ?? 0,
  }));
  const ordered = placed.sort((a, b) => a.offset - b.offset);
  const listed = ordered.slice(0, limit).map(({ problem, offset }) => {
    const sentence = clip(visible(withoutSecrets(problem.describe())), maxProblemLength);
    return written ? `${written.positionAt(offset)}: ${sentence}` : sentence;
  });
  const more = problems.length - listed.length;
  return more > 0 ? [...listed, `and ${more} more problem${more === 1 ? '' : 's'}`] : listed;
}

/**
 * Whether a document is too large to be read at all, and otherwise its texts that are too long. Uses no recursion, because
 * the depth is not yet known.
 *
 * @param schema the document's, for the limits of texts.
 */
export function sizeProblems(
  document: unknown,
  schema: () => Schema,
): { readonly tooLarge?: Problem; readonly longTexts: readonly Problem[] } {
  const longTexts: Problem[] = [];
  const values: { readonly value: unknown; readonly path: Path }[] = [{ value: document, path: [] }];
  for (const { value, path } of values) {
    if (typeof value === 'string' && value.length > maxTextLength) {
      longTexts.push({ path, describe: () => tooLong(path, value.length, schemaAt(schema(), path)) });
    }
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= maxDepth) {
      const tooLarge = problem(path.slice(0, 2), `is nested more than ${maxDepth} levels deep`);
      return { tooLarge, longTexts };
    }
    const isArray = Array.isArray(value);
    for (const [key, inner] of Object.entries(value)) {
      values.push({ value: inner, path: [...path, isArray ? Number(key) : key] });
      if (values.length > maxValues)
        return { tooLarge: problem([], `has more than ${maxValues} values`), longTexts };
    }
  }
  return { longTexts };
}

function tooLong(path: Path, length: number, schema: Schema | undefined): string {
  const { type, maxLength = maxTextLength, enum: values, anyOf } = schema ?? {};
  const isText = type === undefined || (type === 'string' && values === undefined);
  if (anyOf || (isText && maxLength >= maxTextLength))
    return `${pathText(path)} must have at most ${maxTextLength} characters, got ${length}`;
  return `${pathText(path)} must be ${describeSchema(schema ?? {})}, got ${isText ? '' : 'text of '}${length} characters`;
}

/** A problem in the form `path must …`. */
const problem = (path: Path, predicate: string): Problem => ({
  path,
  describe: () => `${pathText(path)} ${predicate}`,
});

/** A problem in the form `path: …`. */
export const remark = (path: Path, text: () => string): Problem => ({
  path,
  describe: () => `${pathText(path)}: ${text()}`,
});

/** What somebody probably wanted to write, as the end of a sentence; empty where nothing suggests itself. */
type Hint = (path: Path, input: unknown) => string;

/** Zod's issues in our own words: what a value must be by the schema, and what it is. */
export const issueProblems = (
  issues: readonly z.core.$ZodIssue[],
  schema: Schema,
  hint: Hint = () => '',
): readonly Problem[] =>
  issues.flatMap((issue): readonly Problem[] => {
    const { path, input } = issue;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const guess = () =>
          hint([...path, key], undefined) || didYouMean(key, keysOf(schemaAt(schema, path)));
        return remark([...path, key], () => `unknown key${guess()}`);
      });
    }
    const own = ownWords(issue);
    const sentence = () => (own === undefined ? mustBe(issue, schemaAt(schema, path)) : says(own, issue));
    return [{ path, describe: () => `${sentence()}${hint(path, input)}` }];
  });

/** The problems of any document that a schema describes. */
export const schemaProblems = (schema: z.ZodType, document: unknown): readonly string[] => {
  const issues = schema.safeParse(document, withoutWords).error?.issues ?? [];
  return listProblems(issueProblems(issues, z.toJSONSchema(schema, { io: 'input' }) as Schema), maxProblems);
};

/** The message of a check's own schema, which is ours; undefined for an issue that has none. */
function ownWords(issue: z.core.$ZodIssue): string | undefined {
  if (issue.message !== noWords) return issue.message;
  if (issue.code === 'invalid_key') return issue.issues.find(({ message }) => message !== noWords)?.message;
  if (issue.code !== 'invalid_union') return undefined;
  return issue.errors.flat().find(({ message }) => message !== noWords)?.message;
}

/** `path: message, got "value"`. Only texts are short enough to be quoted. */
const says = (message: string, { path, input }: z.core.$ZodIssue): string =>
  `${pathText(path)}: ${message}${typeof input === 'string' ? `, got ${quote(input)}` : ''}`;

function mustBe(issue: z.core.$ZodIssue, schema: Schema | undefined): string {
  const { path, input } = issue;
  const where = pathText(path);
  const expected = describeSchema(schema ?? {});
  if (input === undefined && path.length > 0) return `${where} is missing: it must be ${expected}`;
  if (issue.code === 'invalid_value' && typeof input === 'string' && issue.values.length > maxListed) {
    const known = issue.values.map(String);
    return `${where}: ${quote(input)} is unknown${didYouMean(input, known) || ` (known: ${known.join(', ')})`}`;
  }
  // A file that is not a policy may contain a secret.
  return `${where} must be ${expected}, got ${path.length === 0 ? kindOf(input) : got(issue)}`;
}

/** The value of an issue, or how long it is where it is too long. */
function got(issue: z.core.$ZodIssue): string {
  const { input } = issue;
  if (issue.code === 'too_big' && typeof input === 'string') return `${input.length} characters`;
  if (Array.isArray(input) && (issue.code === 'too_big' || issue.code === 'too_small'))
    return `an array of ${input.length} entries`;
  return typeof input === 'object' ? kindOf(input) : quote(input);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  const kinds: Readonly<Record<string, string>> = { object: 'an object', string: 'text', number: 'a number' };
  return kinds[typeof value] ?? String(value);
}

/** A path as it is written in JavaScript, `checks.diskSpace.paths[1]`; `policy` for the whole document. */
export const pathText = (path: Path): string =>
  path.length === 0 ? 'policy' : path.map(stepText).join('').replace(/^\./, '');

const stepText = (step: PropertyKey): string => {
  if (typeof step === 'number') return `[${step}]`;
  const key = clip(withoutSecrets(String(step)), maxKeyLength);
  return /^[^\s.:[\]"\p{C}]+$/u.test(key) ? `.${key}` : `[${visible(JSON.stringify(key))}]`;
};

/** A value for a message: bounded, and without the password of a URL and other secrets, however they are written. */
export function quote(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  return clip(JSON.stringify(withoutSecrets(withoutCredentials(value))), maxQuoteLength);
}

const clip = (text: string, maxLength: number): string =>
  text.length > maxLength ? `${text.slice(0, maxLength - 3).replace(/[\ud800-\udbff]$/, '')}...` : text;

/** Control characters and characters that change the direction of text, as escapes. */
const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
