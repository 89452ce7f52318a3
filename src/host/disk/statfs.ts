import { CannotTell } from '../../check.ts';
import { isTimeout, orAbort, withDeadline } from '../../deadline.ts';
import { codeOf } from '../../errors.ts';
import { cannotRead } from '../files/access.ts';
import { type LookingProcess, type Statfs, startLooking } from './statfs-child.ts';

/** @param path the VM's, looked up below `hostRoot` */
export type MeasureFilesystem = (hostRoot: string, path: string, signal: AbortSignal) => Promise<Statfs>;

/** A look under way. */
interface Look {
  readonly answer: Promise<Statfs>;
  /** On the monotonic clock, in milliseconds. */
  readonly startedAt: number;
}

/**
 * Measures filesystems in a child process. One that has stopped answering holds whoever asks it, uncancellable: within
 * this process that would be one of libuv's four threads, for good, and the process could not even exit.
 *
 * All looks share one child, which has a thread for each and goes when all have answered. A look that takes longer
 * than `lookSeconds` is left where it is, and until it is answered its path is `mount_stuck` at once: it costs a
 * thread that sleeps, and ends when the mount works again. Some never end, though the mount has been replaced; so
 * after `retrySeconds` the child is killed, and the next looks start afresh. A child that even SIGKILL does not end is
 * left behind, once: while it is there, its successor is not killed. So there are at most two.
 */
export function createStatfs({ lookSeconds = 5, retrySeconds = 900 } = {}): MeasureFilesystem {
  let looks = new Map<string, Look>();
  let child: LookingProcess | undefined;
  let leftBehind: LookingProcess | undefined;
  let retry: NodeJS.Timeout | undefined;

  function start(hostRoot: string, path: string, key: string): Look {
    child ??= startLooking();
    const together = looks;
    const answer = child.look(hostRoot, path);
    const look = { answer, startedAt: performance.now() };
    together.set(key, look);
    const over = () => {
      together.delete(key);
      if (together === looks && looks.size === 0) end();
    };
    answer.then(over, over);
    return look;
  }

  /** Nothing is left to do for the child. */
  function end(): void {
    clearTimeout(retry);
    retry = undefined;
    child?.kill();
    child = undefined;
  }

  const secondsLeft = ({ startedAt }: Look) => lookSeconds - (performance.now() - startedAt) / 1000;

  function startAfresh(): void {
    retry = undefined;
    const busy = [...looks.values()].some((look) => secondsLeft(look) > 0);
    if (leftBehind || busy) {
      retryLater();
      return;
    }
    const old = child;
    looks = new Map();
    end();
    leftBehind = old;
    void old?.gone.then(() => {
      leftBehind = undefined;
    });
  }

  function retryLater(): void {
    retry ??= setTimeout(startAfresh, retrySeconds * 1000).unref();
  }

  return async (hostRoot, path, signal) => {
    signal.throwIfAborted();
    const key = JSON.stringify([hostRoot, path]);
    const look = looks.get(key) ?? start(hostRoot, path, key);
    const seconds = secondsLeft(look);
    try {
      if (seconds <= 0) throw new DOMException('It has had its time', 'TimeoutError');
      return await withDeadline(seconds, signal, (deadline) => orAbort(look.answer, deadline));
    } catch (cause) {
      signal.throwIfAborted();
      if (isTimeout(cause)) {
        retryLater();
        throw stuck(path, lookSeconds);
      }
      if (codeOf(cause) !== undefined) throw cannotRead(path, cause);
      throw new Error(`Could not measure ${path}`, { cause });
    }
  };
}

const stuck = (path: string, seconds: number): CannotTell =>
  new CannotTell('mount_stuck', `The filesystem at ${path} has not answered within ${seconds} s`, {
    remedy: `See what is mounted there, and whether its server is up: findmnt --target '${path}'`,
  });
