import { readdirSync, readFileSync } from 'node:fs';

// USER_HZ, proc(5): 100 on every platform Node.js runs on.
const ticksPerSecond = 100;

/** What a process holds in memory, in bytes (VmRSS of proc(5)). */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status tells no VmRSS`);
  return Number(kib) * 1024;
}

/**
 * The processor time that a process and its ended children have taken, in seconds. Of its own threads exact to the
 * nanosecond, where /proc/PID/stat knows hundredths of a second.
 */
export function processorSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => {
    const [onProcessor] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return Number(onProcessor);
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9 + childSeconds(pid);
}

/** The processor time of children that have ended, and of theirs, in seconds. */
export function childSeconds(pid: number): number {
  // The name, in brackets, may hold spaces. cutime and cstime are fields 16 and 17; after the name comes field 3.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
