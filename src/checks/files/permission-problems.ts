import { CannotTell, type Wrong } from '../../check.ts';
import type { FileFacts } from '../../host/files/types.ts';
import { shellQuote } from '../../shell-quote.ts';
import type { FileRule } from './file-rules.ts';

export const reasons = [
  'mode_too_open',
  'wrong_owner',
  'wrong_group',
  'writable_parent',
  'link_leaves_tree',
] as const;
type Problem = Wrong<(typeof reasons)[number]>;

/** What is wrong with a path by a rule, worst first. Throws where a name cannot be compared and nothing else is wrong. */
export function problemsOf(facts: FileFacts, rule: FileRule): readonly Problem[] {
  const { path, leaves } = facts;
  if (leaves !== undefined) {
    return [
      {
        status: 'warn',
        reason: 'link_leaves_tree',
        message: `${path} leads to ${leaves}, which is outside of what this module can see`,
        remedy: `Put the file itself at ${path}, or mount ${leaves} too; \`sudo namei -l ${shellQuote(path)}\` shows each step`,
      },
    ];
  }
  const problems = [modeProblem(facts, rule), ...ownerProblems(facts, rule), parentProblem(facts)];
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) requireNames(facts, rule);
  return found;
}

function modeProblem({ path, mode }: FileFacts, { maxMode }: FileRule): Problem | undefined {
  const mask = maxMode === undefined ? 0o7777 : Number.parseInt(maxMode, 8);
  if ((mode & ~mask) === 0) return undefined;
  return {
    status: 'fail',
    reason: 'mode_too_open',
    message: `${path} has mode ${octal(mode)}, and ${octal(mask)} is the most it may have`,
    remedy: `Close it: \`sudo chmod ${octal(mode & mask)} ${shellQuote(path)}\``,
  };
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

function ownerProblems(facts: FileFacts, { owner, group }: FileRule): (Problem | undefined)[] {
  const { path, uid, gid, owners, groups } = facts;
  return [
    isOther(owner, uid, owners, facts.namesKnown.users)
      ? {
          status: 'fail',
          reason: 'wrong_owner',
          message: `${path} belongs to ${nameOf(uid, owners, 'user')}, not to ${owner}`,
          remedy: `Give it back: \`sudo chown ${shellQuote(owner)} ${shellQuote(path)}\``,
        }
      : undefined,
    isOther(group, gid, groups, facts.namesKnown.groups)
      ? {
          status: 'fail',
          reason: 'wrong_group',
          message: `${path} belongs to the group ${nameOf(gid, groups, 'group')}, not to ${group}`,
          remedy: `Give it back: \`sudo chown ${shellQuote(`:${group}`)} ${shellQuote(path)}\``,
        }
      : undefined,
  ];
}

/** Whether an id is not the one that a rule wants. A name that cannot be looked up is decided later. */
function isOther(
  wanted: string | undefined,
  id: number,
  names: readonly string[],
  known: boolean,
): wanted is string {
  if (wanted === undefined) return false;
  if (isNumber(wanted)) return Number(wanted) !== id;
  // 0 is root everywhere.
  if (wanted === 'root' || id === 0) return id !== 0 || !names.includes(wanted);
  return known && !names.includes(wanted);
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

const nameOf = (id: number, names: readonly string[], kind: string): string => names[0] ?? `${kind} id ${id}`;

function parentProblem({ path, openFolder }: FileFacts): Problem | undefined {
  if (openFolder === undefined) return undefined;
  return {
    status: 'fail',
    reason: 'writable_parent',
    message: `Everybody may write to ${openFolder}, and so replace ${path}`,
    remedy: `Close the folder: \`sudo chmod o-w ${shellQuote(openFolder)}\``,
  };
}

/** @throws CannotTell when a rule names an owner or a group whose id is not known. */
function requireNames({ path, uid, gid, namesKnown }: FileFacts, { owner, group }: FileRule): void {
  const isUnknown = (wanted: string | undefined, id: number, known: boolean) =>
    wanted !== undefined && !known && id !== 0 && !isNumber(wanted) && wanted !== 'root';
  const file = isUnknown(owner, uid, namesKnown.users)
    ? '/etc/passwd'
    : isUnknown(group, gid, namesKnown.groups)
      ? '/etc/group'
      : undefined;
  if (file === undefined) return;
  const mount = `{ "Type": "bind", "Source": "${file}", "Target": "/host${file}", "ReadOnly": true }`;
  throw new CannotTell(
    'no_access',
    `The mode of ${path} is right; whose it is cannot be told without the VM's ${file}`,
    { remedy: `Mount it: "HostConfig": { "Mounts": [ ${mount} ] }` },
  );
}
