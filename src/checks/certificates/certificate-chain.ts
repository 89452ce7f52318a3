import { z } from 'zod';
import { CannotTell, defineCheck, type Verdict } from '../../check.ts';
import type { Certificate } from '../../host/certificates/types.ts';
import { chainProblems, nameOf, type Problem } from './chain-problems.ts';
import { chainRemedy } from './chain-remedy.ts';
import { examineFile, examineFiles } from './files.ts';
import { certificatePlaces, needsOf } from './places.ts';
import { certificateSubjects, type Origin } from './subjects.ts';
import { type WireReason, wireProblems } from './wire-problems.ts';

/**
 * Checks how certificates fit together, in files and as servers present them. What keeps a TLS client from accepting
 * them fails; a weak key, a weak signature and the quickstart CA warn. Dates are checked by certificateExpiry.
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
    'weak_key',
    'weak_signature',
    'name_mismatch',
    'untrusted_root',
    'quickstart_ca',
    'intercepted',
    'unreachable',
  ],

  needs: (places) => needsOf(places),
  subjects: (places, host, signal) => certificateSubjects(places, host, signal),

  async examine(subject, _, host, signal) {
    const { target } = subject;
    switch (subject.kind) {
      case 'none':
        throw subject.why;
      case 'endpoint': {
        const chain = await host.presentedChain(subject.endpoint, signal);
        const verdict = verdictOf(wireProblems(chain, subject), chain.certificates, subject);
        if (verdict.status === 'fail' || chain.authority || chain.trustProblem === undefined) return verdict;
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

const judgeFile = (certificates: readonly Certificate[], path: string): Verdict<WireReason> =>
  verdictOf(chainProblems(certificates), certificates, { target: path, origin: 'file' });

function verdictOf(
  [worst, ...others]: readonly Problem<WireReason>[],
  certificates: readonly Certificate[],
  { target, origin }: { readonly target: string; readonly origin: Origin },
): Verdict<WireReason> {
  if (!worst) {
    const [first] = certificates;
    const rest = certificates.length > 1 ? ` and ${certificates.length - 1} more` : '';
    return { status: 'pass', message: `${first ? nameOf(first) : 'No certificate'}${rest}: nothing wrong` };
  }
  const wrong = ({ status, reason, clause }: Problem<WireReason>, more: string) => ({
    status,
    reason,
    message: `${clause.charAt(0).toUpperCase()}${clause.slice(1)}${more}`,
    remedy: chainRemedy(reason, target, origin),
  });
  const more = others.length > 0 ? `; ${others.length} other problems: ${reasonsOf(others)}` : '';
  return { ...wrong(worst, more), also: others.map((other) => wrong(other, '')) };
}

const reasonsOf = (problems: readonly Problem<WireReason>[]): string =>
  [...new Set(problems.map(({ reason }) => reason))].join(', ');
