import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor, type Wrong } from '../../check.ts';
import type { FileFacts } from '../../host/files/types.ts';
import { absolutePath } from '../params/absolute-path.ts';
import { defaultRules, type FileRule, isPattern } from './file-rules.ts';
import { problemsOf, reasons } from './permission-problems.ts';

const account = z
  .string()
  .regex(/^[^\s:/]{1,64}$/, 'must be a name or a number')
  .optional();

const rule = z
  .strictObject({
    path: absolutePath.describe('A path, or a glob; * matches neither a slash nor a leading dot.'),
    maxMode: z
      .string()
      .regex(/^[0-7]{3,4}$/, 'must be three or four octal digits, such as "0600"')
      .optional()
      .describe('The most open mode, as octal text: no bit outside it may be set.'),
    owner: account.describe('A user of the VM, by name or number.'),
    group: account.describe('A group of the VM, by name or number.'),
  })
  .superRefine(({ path, ...wanted }, context) => {
    if (path.includes('**')) context.addIssue('has a "**": name each folder level with a "*"');
    if (Object.values(wanted).every((each) => each === undefined))
      context.addIssue('has nothing to compare: add maxMode, owner or group');
  });

/** Files at once; the thread pool has four. */
const atOnce = 8;
/** More files than this, those with a problem first, are told as one number. */
const maxFiles = 200;

/** A path with what its rules say about it. */
interface RuledFile {
  readonly target: string;
  readonly outcome:
    | { readonly facts: FileFacts; readonly wrong: readonly Wrong<(typeof reasons)[number]>[] }
    | { readonly error: unknown }
    | { readonly more: number; readonly wrong: number };
}

/** Compares mode and owner of files and folders with rules, by their metadata: no file is opened. */
export const filePermissions = defineCheck({
  id: 'filePermissions',
  title: 'Secrets and configuration are open to their owners only',
  params: z.strictObject({
    rules: z
      .array(rule)
      .max(64)
      .default([...defaultRules])
      .describe('What the files at a path must be like. Rules in a policy replace the default ones.'),
  }),
  uses: ['findPaths', 'inspectFile'],
  reasons,

  needs: ({ rules }) =>
    [...new Set(rules.map(({ path }) => fixedPart(path)))].map((path) => ({ kind: 'path', path }) as const),

  async subjects({ rules }, host, signal): Promise<readonly RuledFile[]> {
    const ruled = new Map<string, FileRule[]>();
    const failed = new Map<string, RuledFile>();
    for (const each of rules) {
      try {
        for (const path of await pathsOf(each.path, host, signal))
          ruled.set(path, [...(ruled.get(path) ?? []), each]);
      } catch (error) {
        signal.throwIfAborted();
        failed.set(each.path, { target: each.path, outcome: { error: absentIsRight(error, each.path) } });
      }
    }
    const examined = await inTurns([...ruled], ([path, its]) => examineFile(path, its, host, signal));
    const [nothing] = notGiven([...failed.values(), ...examined]);
    if (nothing) throw nothing;
    const isWrong = ({ outcome }: RuledFile) =>
      'wrong' in outcome && 'facts' in outcome && outcome.wrong.length > 0;
    const files = [...examined.filter(isWrong), ...examined.filter((file) => !isWrong(file))];
    const left = files.slice(maxFiles);
    const rest: RuledFile = {
      target: 'files',
      outcome: { more: left.length, wrong: left.filter(isWrong).length },
    };
    return [...failed.values(), ...files.slice(0, maxFiles), ...(left.length > 0 ? [rest] : [])];
  },

  async examine({ target, outcome }: RuledFile) {
    if ('error' in outcome) throw outcome.error;
    if ('more' in outcome) return restOf(outcome);
    const { facts, wrong } = outcome;
    const [worst, ...also] = wrong;
    if (worst) return { ...worst, also };
    const whose = facts.owners[0] ?? `user id ${facts.uid}`;
    const link = facts.leadsTo === undefined ? '' : ` (a link to ${facts.leadsTo})`;
    const mode = facts.mode.toString(8).padStart(4, '0');
    return { status: 'pass', message: `${target}${link} has mode ${mode} and belongs to ${whose}` };
  },
});

/** The part of a pattern before its first wildcard, without the name that this ends in. */
function fixedPart(path: string): string {
  if (!isPattern(path)) return path;
  const before = path.slice(0, path.search(/[*?[{]/));
  return before.slice(0, before.lastIndexOf('/')) || '/';
}

const pathsOf = async (
  path: string,
  host: HostFor<'findPaths'>,
  signal: AbortSignal,
): Promise<readonly string[]> =>
  isPattern(path) ? host.findPaths(path, signal) : [path.replace(/(.)\/+$/, '$1')];

async function examineFile(
  path: string,
  rules: readonly FileRule[],
  host: HostFor<'inspectFile'>,
  signal: AbortSignal,
): Promise<RuledFile> {
  try {
    const facts = await host.inspectFile(path, signal);
    const found = rules.flatMap((each) => problemsOf(facts, each));
    const wrong = found.filter(({ reason }, i) => found.findIndex((other) => other.reason === reason) === i);
    return { target: path, outcome: { facts, wrong } };
  } catch (error) {
    signal.throwIfAborted();
    return { target: path, outcome: { error: absentIsRight(error, path) } };
  }
}

/** The reasons of files that are not mounted, where that is all there is: one finding says it for all. */
function notGiven(files: readonly RuledFile[]): readonly CannotTell[] {
  const errors = files.map(({ outcome }) => ('error' in outcome ? outcome.error : undefined));
  const absent = errors.filter((error) => error instanceof CannotTell && error.reason === 'no_access');
  return absent.length === files.length ? (absent as CannotTell[]) : [];
}

/** What does not exist cannot be open to anybody. */
const absentIsRight = (error: unknown, path: string): unknown =>
  error instanceof CannotTell && error.reason === 'not_found'
    ? new CannotTell('not_applicable', `${path} does not exist`)
    : error;

const restOf = ({ more, wrong }: { readonly more: number; readonly wrong: number }) =>
  wrong === 0
    ? ({ status: 'pass', message: `${more} more files are right` } as const)
    : ({
        status: 'fail',
        reason: 'mode_too_open',
        message: `${wrong} of ${more} more files are wrong`,
        remedy: 'Correct those that are listed; the next run lists the others',
      } as const);

async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    results.push(...(await Promise.all(items.slice(start, start + atOnce).map(work))));
  }
  return results;
}
