import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Defer } from './program.ts';

/** GETs with Prometheus's `Accept-Encoding`, on so many connections at once. */
export interface Gets {
  readonly url: string;
  /** The fewest requests per connection, one after the other. */
  readonly count: number;
  /** The least time that they take together: fast programs get more of them. */
  readonly seconds: number;
  readonly connections: number;
  /** Whether they share their connection, which is open when the first is sent; if not, each opens its own. */
  readonly reuse: boolean;
}

export interface ScrapeClient {
  /** Returns the duration of each in seconds. Rejects when one does not return 200. */
  time(gets: Gets): Promise<number[]>;
  stop(): void;
}

/** Starts the client, one that does nothing else. It is bundled into the same folder. */
export function startScrapeClient(defer: Defer): ScrapeClient {
  const child = fork(fileURLToPath(new URL('scrape-client.js', import.meta.url)));
  const stop = () => void child.kill();
  defer(stop);
  const exited = once(child, 'exit').then(() => Promise.reject(new Error('The scrape client exited')));
  exited.catch(() => undefined);
  return {
    async time(gets) {
      child.send(gets);
      const [seconds] = await Promise.race([once(child, 'message'), exited]);
      return seconds;
    },
    stop,
  };
}
