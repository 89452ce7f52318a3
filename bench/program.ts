import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { get } from './http.ts';

const answerSeconds = 20;
const lastWordsMs = 8000;
const lookEveryMs = 10;

/** A program that was started here and has answered. */
export interface Program {
  readonly pid: number;
  /** Where it answers, without a path. */
  readonly url: string;
  /** From its start to its first answer 200, in seconds. */
  readonly startSeconds: number;
  end(): Promise<void>;
}

/** Something to be ended when the work is over, or was broken off. */
export type Defer = (end: () => unknown) => void;

/**
 * Starts a program and waits until `path` answers with 200. Throws with what it wrote to stderr when it ends before
 * that, or is not there in time.
 */
export async function start(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
  { port, path, defer }: { readonly port: number; readonly path: string; readonly defer: Defer },
): Promise<Program> {
  const started = performance.now();
  const [file, ...args] = command;
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const gone = once(child, 'exit');
  const end = () => endChild(child, gone);
  defer(end);
  await once(child, 'spawn');

  const url = `http://127.0.0.1:${port}`;
  while ((await get(url + path).catch(() => undefined))?.status !== 200) {
    const late = performance.now() - started > answerSeconds * 1000;
    if (late || child.exitCode !== null) {
      throw new Error(
        `${file} did not answer 200 on ${path} within ${answerSeconds} s: ${said || 'it says nothing'}`,
      );
    }
    await setTimeout(lookEveryMs);
  }
  return { pid: child.pid ?? 0, url, startSeconds: (performance.now() - started) / 1000, end };
}

/** A port of loopback that nobody had a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}

async function endChild(child: ChildProcess, gone: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const stop = new AbortController();
  const patience = setTimeout(lastWordsMs, undefined, { signal: stop.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
  await gone;
  stop.abort();
  await patience;
}
