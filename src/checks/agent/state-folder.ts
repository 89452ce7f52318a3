import { z } from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';

const remedies = {
  damaged:
    'Only history is lost; the file is kept as damaged-state.json. If it happens again, check the disk: `sudo dmesg | grep -i error`.',
  newer: 'Deploy the newer image again to continue with its state; the file is kept as newer-state.json.',
  unwritable: 'Free space on the filesystem of the state volume: `df -h /var/lib`, `df -i /var/lib`.',
} as const;

/** Checks whether the agent can keep its state over a restart. */
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
