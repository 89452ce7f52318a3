import * as z from 'zod';
import { type Check, commonReasons, networkGapSeconds, usesNetwork } from '../check.ts';
import { didYouMean } from '../nearest.ts';
import { shortestGapSeconds } from './cron.ts';
import { decodeText } from './decode-text.ts';
import { type Path, parseJsonc, type Written } from './jsonc.ts';
import {
  issueProblems,
  listProblems,
  maxProblems,
  type Problem,
  quote,
  remark,
  sizeProblems,
  withoutWords,
} from './problems.ts';
import { checkSchema, policySchema } from './schema.ts';
import type { Schema } from './schema-format.ts';

/** An accepted policy, complete with every default. */
export interface Policy {
  /** A name for this policy, shown on the page. */
  readonly note?: string | undefined;
  /** Cron, UTC. */
  readonly schedule: string;
  readonly jitterSeconds: number;
  readonly timeoutSeconds: number;
  readonly confirmAfterSeconds: number;
  readonly report: {
    readonly minIntervalSeconds: number;
    readonly heartbeatMinutes: number;
    readonly maxFindings: number;
  };
  readonly exceptions: readonly Exception[];
  readonly checks: Readonly<Record<string, CheckPolicy>>;
}

/** A check's own parameters, with those that every check has. */
export interface CheckPolicy {
  readonly enabled: boolean;
  readonly schedule?: string | undefined;
  readonly [parameter: string]: unknown;
}

/** A finding that the operator accepts. */
export interface Exception {
  readonly check: string;
  readonly target: string;
  /** Applies to this reason only; absent, to any. */
  readonly reason?: string | undefined;
  readonly because: string;
  /** The last day on which it applies, `2027-03-31`, UTC. */
  readonly until?: string | undefined;
}

/** The outcome of reading a document. */
export type PolicyOutcome =
  /** `warnings`: what is accepted, but has another effect than it says. */
  | { readonly accepted: true; readonly policy: Policy; readonly warnings: readonly string[] }
  /** Each problem names its path, and the nearest known key for a misspelt one. */
  | { readonly accepted: false; readonly problems: readonly string[] };

/** Reads a policy document. It is accepted as a whole or not at all. Never throws. */
export const readPolicy = (document: unknown, checks: readonly Check[]): PolicyOutcome =>
  read(document, checks, maxProblems);

/** Reads a policy as it is written in a file, and lists up to `limit` problems with their lines. Never throws. */
export function readPolicyText(
  file: string | Uint8Array,
  checks: readonly Check[],
  limit = maxProblems,
): { readonly document: unknown; readonly outcome: PolicyOutcome } {
  let written: Written;
  try {
    written = parseJsonc(typeof file === 'string' ? file : decodeText(file));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { document: undefined, outcome: { accepted: false, problems: [error.message] } };
  }
  return { document: written.value, outcome: read(written.value, checks, limit, written) };
}

function read(document: unknown, checks: readonly Check[], limit: number, written?: Written): PolicyOutcome {
  const refused = (problems: readonly Problem[]) =>
    ({ accepted: false, problems: listProblems(problems, limit, written) }) as const;
  const schema = policySchema(checks);
  let described: Schema | undefined;
  const known = () => {
    described ??= z.toJSONSchema(schema, { io: 'input' }) as Schema;
    return described;
  };
  const { tooLarge, longTexts } = sizeProblems(document, known);
  if (tooLarge) return refused([tooLarge]);

  const parsed = schema.safeParse(document, withoutWords);
  const duplicates = (written?.duplicates ?? []).map((duplicate) => ({
    ...remark(duplicate.path, () => 'duplicate key'),
    offset: duplicate.offset,
  }));
  const reasons = reasonProblems(document, checks);
  const others = [...longTexts, ...duplicates, ...contradictions(document)];
  if (parsed.success && others.length + reasons.length === 0) {
    return { accepted: true, policy: parsed.data, warnings: warningsOf(parsed.data, checks) };
  }
  const issues = parsed.error?.issues ?? [];
  const hidden = checks.flatMap((check) => hiddenIssues(document, check, issues));
  const hint = (path: Path, input: unknown) => hintFor(path, input, checks);
  // The length of a text is all that is reported of it.
  const long = new Set(longTexts.map(({ path }) => JSON.stringify(path)));
  const isShort = ({ path }: { readonly path: Path }) => !long.has(JSON.stringify(path));
  const values = issueProblems([...issues, ...hidden].filter(isShort), known(), hint);
  return refused([...values, ...reasons.filter(isShort), ...others]);
}

/** What is at a path of a document; undefined where there is nothing. */
const at = (value: unknown, key: PropertyKey): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;

/** Exceptions with a reason that their check cannot give. */
function reasonProblems(document: unknown, checks: readonly Check[]): readonly Problem[] {
  const exceptions = at(document, 'exceptions');
  if (!Array.isArray(exceptions)) return [];
  return exceptions.flatMap((exception, i) => {
    const check = checks.find(({ id }) => id === at(exception, 'check'));
    const reason = at(exception, 'reason');
    if (!check || typeof reason !== 'string') return [];
    const known = [...check.reasons, ...commonReasons];
    if (known.includes(reason)) return [];
    const describe = () =>
      `${quote(reason)} is not a reason of ${check.id}${didYouMean(reason, known) || ` (known: ${known.join(', ')})`}`;
    return [remark(['exceptions', i, 'reason'], describe)];
  });
}

/** Settings outside the checks that contradict each other. An interval or a heartbeat alone contradicts no default. */
function contradictions(document: unknown): readonly Problem[] {
  const report = at(document, 'report');
  const [interval, heartbeat] = [at(report, 'minIntervalSeconds'), at(report, 'heartbeatMinutes')];
  const repeated = repeatedExceptions(document);
  if (typeof interval !== 'number' || typeof heartbeat !== 'number' || interval <= heartbeat * 60)
    return repeated;
  const describe = () => `${interval} s is above heartbeatMinutes, ${heartbeat * 60} s`;
  return [remark(['report', 'minIntervalSeconds'], describe), ...repeated];
}

/** Exceptions that accept the same as an earlier one, for as long. */
function repeatedExceptions(document: unknown): readonly Problem[] {
  const exceptions = at(document, 'exceptions');
  if (!Array.isArray(exceptions)) return [];
  const first = new Map<string, number>();
  return exceptions.flatMap((exception, i) => {
    const accepts = ['check', 'target', 'reason', 'until'].map((key) => at(exception, key));
    if (accepts.some((value) => value !== undefined && typeof value !== 'string')) return [];
    if (accepts[0] === undefined || accepts[1] === undefined) return [];
    const key = JSON.stringify(accepts);
    const earlier = first.get(key);
    if (earlier !== undefined)
      return [remark(['exceptions', i], () => `repeats exceptions[${earlier}]; remove one of them`)];
    first.set(key, i);
    return [];
  });
}

/**
 * Contradictions in a check's parameters that zod does not report, because it compares nothing while a key is wrong. Only
 * those between keys that are right.
 */
function hiddenIssues(document: unknown, check: Check, issues: readonly z.core.$ZodIssue[]) {
  const params = at(at(document, 'checks'), check.id);
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return [];
  const inside = issues.filter(({ path }) => path[0] === 'checks' && path[1] === check.id);
  const unknown = inside.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 2 ? issue.keys : [],
  );
  const wrong = inside.flatMap(({ path }) => (path.length > 2 ? [String(path[2])] : []));
  const left = new Set([...unknown, ...wrong]);
  if (left.size === 0) return [];
  const right = Object.entries(params).filter(([key]) => !left.has(key));
  const again = checkSchema(check).safeParse(Object.fromEntries(right), withoutWords).error?.issues ?? [];
  return again
    .filter(({ path, message }) => !wrong.some((key) => path[0] === key || message.includes(key)))
    .map((issue) => ({ ...issue, path: ['checks', check.id, ...issue.path] }));
}

/** What somebody probably wanted to write. */
function hintFor(path: Path, input: unknown, checks: readonly Check[]): string {
  const [first, id] = path;
  const isCheck = (name: unknown) => checks.some((check) => check.id === name);
  if (path.length === 1 && first === 'policy') return ': leave out this wrapper and write its contents';
  if (path.length === 1 && isCheck(first)) return ': write it inside "checks"';
  if (path.length === 2 && isCheck(id) && typeof input === 'boolean') return `: use { "enabled": ${input} }`;
  return '';
}

/** What a policy says that has another effect. */
const warningsOf = (policy: Policy, checks: readonly Check[]): readonly string[] => [
  ...scheduleWarnings(policy, checks),
  ...exceptionWarnings(policy, checks),
];

/** The check that reports the exceptions cannot be excepted itself. */
function exceptionWarnings({ exceptions }: Policy, checks: readonly Check[]): readonly string[] {
  const own = checks.find(({ uses }) => uses.includes('policyOutcome'))?.id;
  const places = exceptions.flatMap(({ check }, i) => (check === own ? [`exceptions[${i}]`] : []));
  return places.length === 0 ? [] : [`${own} cannot be excepted, so ${places.join(', ')} has no effect`];
}

/** Schedules that call for a check that uses the network more often than it runs. */
function scheduleWarnings(policy: Policy, checks: readonly Check[]): readonly string[] {
  const affected = checks.filter((check) => {
    const params = policy.checks[check.id];
    const schedule = params?.schedule ?? policy.schedule;
    return params?.enabled && shortestGapSeconds(schedule) < networkGapSeconds && usesNetwork(check, params);
  });
  const ids = affected.map(({ id }) => id).join(', ');
  const rule = `Checks that use the network run at most every ${networkGapSeconds} s, whatever the schedule`;
  return affected.length === 0 ? [] : [`${rule}: ${ids}`];
}
