import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { send } from './http.ts';

const startTimeoutSeconds = 20;
const stopTimeoutMs = 8000;
const pollMs = 10;

/** A running program that has returned its first 200. */
export interface Program {
  readonly pid: number;
  /** Its base URL, without a path. */
  readonly url: string;
  /** Seconds from its start to its first 200. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}

/** Registers a cleanup that runs at the end, also after a failure or a signal. */
export type Defer = (cleanup: () => unknown) => void;

/**
 * Starts a program and waits until a GET of `path` returns 200. Rejects with the program's stderr when it exits before
 * that or exceeds the timeout.
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
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const exited = once(child, 'exit');
  const stop = () => stopChild(child, exited);
  defer(stop);
  await once(child, 'spawn');

  const url = `http://127.0.0.1:${port}`;
  while ((await send(url + path).catch(() => undefined))?.status !== 200) {
    const timedOut = performance.now() - started > startTimeoutSeconds * 1000;
    if (timedOut || child.exitCode !== null) {
      throw new Error(
        `${file} did not return 200 for ${path} within ${startTimeoutSeconds} s: ${stderr || 'nothing on stderr'}`,
      );
    }
    await setTimeout(pollMs);
  }
  return { pid: child.pid ?? 0, url, startSeconds: (performance.now() - started) / 1000, stop };
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = new AbortController();
  const killed = setTimeout(stopTimeoutMs, undefined, { signal: timer.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
  await exited;
  timer.abort();
  await killed;
}
