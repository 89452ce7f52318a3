import { CannotTell } from '../../check.ts';
import { isTimeout, orAbort, withDeadline } from '../../deadline.ts';
import { codeOf } from '../../errors.ts';
import { shellQuote } from '../../shell-quote.ts';
import { cannotRead } from '../files/access.ts';
import { readMountinfo } from '../files/files.ts';
import type { Measurement } from './measure.ts';
import { createMeasureHere } from './measure-here.ts';
import type { MeasuringProcess } from './statfs-child.ts';

/** Measures the filesystem at a path of the VM, resolved below `hostRoot`. */
export type MeasureFilesystem = (hostRoot: string, path: string, signal: AbortSignal) => Promise<Measurement>;

/** A measurement in progress. */
interface InProgress {
  readonly answer: Promise<Measurement>;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

/**
 * Measures filesystems: local ones in this process, others in a child process. One that has stopped answering blocks its
 * caller, uncancellable: in this process that would be one of libuv's four threads, permanently, and the process could not
 * even exit.
 *
 * All measurements of the child share it. It has a thread for each and ends when all have answered. A measurement that takes
 * longer than `maxSeconds` is left alone, and its path is `mount_stuck` at once until it is answered: it costs a sleeping
 * thread, and ends when the mount works again. Some never end, though the mount has been replaced, so after `retrySeconds`
 * the child is killed and the next measurements start a new one. A child that not even SIGKILL ends is left behind, once:
 * while it exists, its successor is not killed. So there are at most two.
 */
export function createStatfs({ maxSeconds = 5, retrySeconds = 900 } = {}): MeasureFilesystem {
  const measureHere = createMeasureHere(readMountinfo);
  let inProgress = new Map<string, InProgress>();
  let child: MeasuringProcess | undefined;
  let leftBehind: MeasuringProcess | undefined;
  let retry: NodeJS.Timeout | undefined;

  async function measure(hostRoot: string, path: string, together: unknown): Promise<Measurement> {
    const measured = await measureHere(hostRoot, path);
    if (measured) return measured;
    // Loaded only where it is needed, with the modules for processes and lines.
    const { startMeasuring } = await import('./statfs-child.ts');
    if (together !== inProgress) throw new Error('the measurement was given up');
    child ??= startMeasuring();
    return child.measure(hostRoot, path);
  }

  function start(hostRoot: string, path: string, key: string): InProgress {
    const together = inProgress;
    const answer = measure(hostRoot, path, together);
    const started = { answer, startedAt: performance.now() };
    together.set(key, started);
    const over = () => {
      together.delete(key);
      if (together === inProgress && inProgress.size === 0) end();
    };
    answer.then(over, over);
    return started;
  }

  /** The child has nothing left to do. */
  function end(): void {
    clearTimeout(retry);
    retry = undefined;
    child?.kill();
    child = undefined;
  }

  const secondsLeft = ({ startedAt }: InProgress) => maxSeconds - (performance.now() - startedAt) / 1000;

  function startAfresh(): void {
    retry = undefined;
    const busy = [...inProgress.values()].some((each) => secondsLeft(each) > 0);
    if (leftBehind || busy) {
      retryLater();
      return;
    }
    const old = child;
    inProgress = new Map();
    end();
    leftBehind = old;
    void old?.ended.then(() => {
      leftBehind = undefined;
    });
  }

  function retryLater(): void {
    retry ??= setTimeout(startAfresh, retrySeconds * 1000).unref();
  }

  return async (hostRoot, path, signal) => {
    signal.throwIfAborted();
    const key = JSON.stringify([hostRoot, path]);
    const measuring = inProgress.get(key) ?? start(hostRoot, path, key);
    const seconds = secondsLeft(measuring);
    try {
      if (seconds <= 0) throw new DOMException('Its time is over', 'TimeoutError');
      return await withDeadline(seconds, signal, (deadline) => orAbort(measuring.answer, deadline));
    } catch (cause) {
      signal.throwIfAborted();
      if (isTimeout(cause)) {
        retryLater();
        throw stuck(path, maxSeconds);
      }
      if (codeOf(cause) !== undefined) throw cannotRead(path, cause);
      throw new Error(`Could not measure ${path}`, { cause });
    }
  };
}

const stuck = (path: string, seconds: number): CannotTell =>
  new CannotTell('mount_stuck', `The filesystem at ${path} has not answered within ${seconds} s`, {
    remedy: `See what is mounted there, and whether its server is up: \`findmnt --target ${shellQuote(path)}\``,
  });
