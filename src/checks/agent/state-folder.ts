import * as z from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';

const remedies = {
  damaged:
    'Only history is lost; the file is kept as damaged-state.json. If it happens again, check the disk: `sudo dmesg | grep -i error`.',
  newer: 'Deploy the newer image again to continue with its state; the file is kept as newer-state.json.',
  unwritable:
    'Find out why with `sudo dmesg | tail -n 50`, and check the volume: `sudo docker volume inspect hardening-state`',
} as const;

/** What to do about some errors of writing. */
const remediesByCode: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space or inodes on the filesystem of the state volume: `df -h /var/lib`, `df -i /var/lib`',
  EDQUOT: 'Raise the quota of the state volume, or free space within it: `df -h /var/lib`',
  EROFS:
    "The filesystem of the state volume is read-only. Find out why with `sudo dmesg | grep -iE 'remount|i/o error'`, then restart the VM, which checks the disk",
};

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
    const { kind, message, code = '' } = problem;
    return { status: 'warn', reason: kind, message, remedy: remediesByCode[code] ?? remedies[kind] };
  },
});
