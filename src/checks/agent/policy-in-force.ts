import * as z from 'zod';
import { CannotTell, defineCheck, type Subject } from '../../check.ts';
import type { PolicyOutcome } from '../../host/agent/types.ts';

/** The policy itself, or one of its exceptions. */
interface Part extends Subject {
  readonly exception?: PolicyOutcome['exceptions'][number];
}

const sources: Readonly<Record<PolicyOutcome['source'], string>> = {
  twin: 'policy of the module twin',
  saved: 'saved policy of the module twin',
  file: 'policy from the policy file',
  default: 'built-in policy',
};

/** Whether the policy that was requested last is in force, and whether its exceptions still apply. */
export const policyInForce = defineCheck({
  id: 'policyInForce',
  title: 'The requested policy is in force, and its exceptions have not ended',
  params: z.strictObject({}),
  uses: ['policyOutcome'],
  reasons: ['not_accepted', 'exception_over'],
  needs: () => [],

  subjects(_params, host): readonly Part[] {
    const exceptions = host
      .policyOutcome()
      .exceptions.map((exception, i) => ({ target: `exception ${i + 1}`, exception }));
    return [{ target: 'policy' }, ...exceptions.filter(({ exception }) => exception.over)];
  },

  async examine({ exception }, _params, host) {
    if (exception) {
      const { check, target, until } = exception;
      return {
        status: 'warn',
        reason: 'exception_over',
        message: `The exception for ${target} in ${check} ended on ${until}`,
        remedy: 'Remove the exception from the policy, or give it a later "until"',
      };
    }
    const { source, version, accepted, problems, fileProblem } = host.policyOutcome();
    if (accepted && fileProblem) {
      throw new CannotTell('unreadable', `${fileProblem}; its last policy stays in force`, {
        remedy: 'Put the policy file back, or let the agent read it; the file is read again when it changes',
      });
    }
    if (accepted) {
      const numbered = version > 0 ? `, version ${version},` : '';
      return { status: 'pass', message: `The ${sources[source]}${numbered} is in force` };
    }
    const [first = 'no reason was given', ...others] = problems;
    const more = others.length > 0 ? `, and ${others.length} more` : '';
    const which = version > 0 ? `Policy version ${version} of the module twin` : 'The policy file';
    const kept = source === 'default' ? 'the built-in policy' : `the previous ${sources[source]}`;
    return {
      status: 'fail',
      reason: 'not_accepted',
      message: `${which} was refused (${first}${more}); ${kept} stays in force`,
      remedy:
        'Correct the policy; test it with `eflow-hardening policy validate FILE` or the direct method `validatePolicy`',
    };
  },
});
