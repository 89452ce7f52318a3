import { readdirSync, readFileSync } from 'node:fs';

// USER_HZ, proc(5): 100 on every platform Node.js runs on.
const ticksPerSecond = 100;

/** The resident memory of a process in bytes (VmRSS, proc(5)). */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kib) * 1024;
}

/** The resident memory of a process and of all its descendants, in bytes. */
export const treeBytes = (pid: number): number =>
  childrenOf(pid).reduce((sum, child) => sum + treeBytes(child), residentBytes(pid));

/** The children of a process, on whichever of its threads it started them. */
export const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );

/** How often the threads of a process have gone to sleep, and so how often they have been woken. */
export const sleeps = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
  }, 0);

/**
 * The CPU time of a process and its terminated children in seconds. The threads are read from schedstat, which counts
 * nanoseconds; /proc/PID/stat counts hundredths of a second.
 */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return Number(onCpu);
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9 + childCpuSeconds(pid);
}

/** The CPU time of the terminated children of a process, and of theirs, in seconds. */
export function childCpuSeconds(pid: number): number {
  // The name, in brackets, may contain spaces. The part after it starts with field 3; cutime and cstime are 16 and 17.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
