import { z } from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';

const remedies = {
  damaged:
    'Nothing is lost but history; the file is kept beside as damaged-state.json. If it happens again, check the disk: `sudo dmesg | grep -i error`.',
  newer:
    'Deploy the newer image again to go on with what it remembered; the file is kept beside as newer-state.json.',
  unwritable: 'Make room on the filesystem of the state volume: `df -h /var/lib`, `df -i /var/lib`.',
} as const;

/** Tells whether the agent's own memory, which carries it over a restart, works. */
export const stateFolder = defineCheck({
  id: 'stateFolder',
  title: 'The agent can keep what it must remember over a restart',
  params: z.strictObject({}),
  uses: ['memoryProblem'],
  reasons: ['damaged', 'newer', 'unwritable'],
  needs: () => [],
  subjects: () => [{ target: 'state' }],
  async examine(_state, _params, host) {
    const problem = host.memoryProblem();
    if (!problem) return { status: 'pass', message: 'The state folder can be written to' };
    if (problem.kind === 'absent') {
      throw new CannotTell('no_access', problem.message, {
        remedy:
          'Give it a volume: "HostConfig": { "Mounts": [ { "Type": "volume", "Source": "hardening-state", "Target": "/var/lib/eflow-hardening" } ] }',
      });
    }
    return { status: 'warn', reason: problem.kind, message: problem.message, remedy: remedies[problem.kind] };
  },
});
