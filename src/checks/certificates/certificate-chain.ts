import * as z from 'zod';
import { CannotTell, defineCheck, type Verdict } from '../../check.ts';
import type { Certificate } from '../../host/certificates/types.ts';
import { chainProblems } from './chain-problems.ts';
import { chainRemedy } from './chain-remedy.ts';
import { examineFile, examineFiles } from './files.ts';
import { certificatePlaces, needsOf } from './places.ts';
import { nameOf, type Problem } from './problem.ts';
import { certificateSubjects, type Origin } from './subjects.ts';
import { isValidAt, type WireReason, wireProblems } from './wire-problems.ts';

/**
 * Checks how certificates fit together, in files and as servers present them. What keeps a TLS client from accepting
 * them fails; a weak key, a weak signature and the quickstart CA warn. Dates are checked by certificateExpiry. A presented
 * chain that this device's TLS library rejects never passes, and one that it accepts fails only for its order, its names or
 * its interception.
 *
 * A missing intermediate on the wire is reported as `untrusted_root`: Node.js cannot know what was left out.
 */
export const certificateChain = defineCheck({
  id: 'certificateChain',
  title: 'Every certificate chain is complete, in order and trusted',
  params: z.strictObject(certificatePlaces(['edgehub'])),
  uses: ['certificates', 'findFiles', 'modules', 'presentedChain'],
  reasons: [
    'wrong_order',
    'broken_link',
    'not_a_ca',
    'path_too_long',
    'key_usage',
    'name_constraints',
    'critical_extension',
    'weak_key',
    'weak_signature',
    'name_mismatch',
    'untrusted_root',
    'quickstart_ca',
    'intercepted',
    'rejected',
    'unreachable',
  ],

  needs: (places) => needsOf(places),
  subjects: (places, host, signal) => certificateSubjects(places, host, signal),

  async examine(subject, _, host, signal) {
    const { target } = subject;
    const now = host.now();
    const judgeFile = (certificates: readonly Certificate[], path: string) =>
      fileVerdict(certificates, path, now);
    switch (subject.kind) {
      case 'none':
        throw subject.why;
      case 'endpoint': {
        const chain = await host.presentedChain(subject.endpoint, signal);
        const problems = wireProblems(chain, { ...subject, now });
        const verdict = verdictOf(problems, chain.certificates, { ...subject, now });
        const isTrusted = chain.authority !== undefined || chain.verification?.accepted === true;
        if (verdict.status === 'fail' || isTrusted || chain.trustProblem === undefined) return verdict;
        throw new CannotTell(
          'unreadable',
          `Could not determine whether ${target} is trusted: ${chain.trustProblem}`,
        );
      }
      case 'file':
        return examineFile(subject, host, signal, judgeFile);
      case 'files':
        return examineFiles(subject, host, signal, judgeFile);
    }
  },
});

function fileVerdict(certificates: readonly Certificate[], target: string, now: Date): Verdict<WireReason> {
  const verdict = verdictOf(chainProblems(certificates), certificates, { target, origin: 'file', now });
  const unknown = certificates.filter(({ signerUnknown }) => signerUnknown).length;
  if (verdict.status !== 'pass' || unknown === 0) return verdict;
  throw new CannotTell(
    'unreadable',
    `${target} holds ${certificates.length} certificates, too many to check every signature: ${unknown} were not checked`,
    { remedy: 'Split the file, or name only files with the certificates that this device uses.' },
  );
}

interface Place {
  readonly target: string;
  readonly origin: Origin;
  readonly now: Date;
}

function verdictOf(
  [worst, ...others]: readonly Problem<WireReason>[],
  certificates: readonly Certificate[],
  { target, origin, now }: Place,
): Verdict<WireReason> {
  if (!worst) {
    const [first] = certificates;
    const rest = certificates.length > 1 ? ` and ${certificates.length - 1} more` : '';
    const dates = certificates.every(isValidAt(now)) ? '' : ' but the dates, which certificateExpiry reports';
    return {
      status: 'pass',
      message: `${first ? nameOf(first) : 'No certificate'}${rest}: nothing wrong${dates}`,
    };
  }
  const wrong = ({ status, reason, clause }: Problem<WireReason>, more: string) => ({
    status,
    reason,
    message: `${clause.charAt(0).toUpperCase()}${clause.slice(1)}${more}`,
    remedy: chainRemedy(reason, target, origin),
  });
  const counted = others.length === 1 ? '1 other problem' : `${others.length} other problems`;
  const more = others.length > 0 ? `; ${counted}: ${reasonsOf(others)}` : '';
  return { ...wrong(worst, more), also: others.map((other) => wrong(other, '')) };
}

const reasonsOf = (problems: readonly Problem<WireReason>[]): string =>
  [...new Set(problems.map(({ reason }) => reason))].join(', ');
