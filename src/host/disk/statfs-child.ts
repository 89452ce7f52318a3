import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Measurement } from './measure.ts';

/** One line to the worker. */
export interface Request {
  readonly id: number;
  readonly hostRoot: string;
  readonly path: string;
}

/** One line from the worker. */
export type Measured = { readonly id: number } & (
  | { readonly measurement: Measurement }
  | { readonly error: { readonly code?: string; readonly message: string } }
);

/** A process that measures filesystems, each on a thread of its own. It does not keep this process from exiting. */
export interface MeasuringProcess {
  /** Settles when the filesystem answers, however late. Rejects with a system error, or once the process has ended. */
  measure(hostRoot: string, path: string): Promise<Measurement>;
  /** Ends it, if the kernel lets it go. */
  kill(): void;
  readonly ended: Promise<void>;
}

// As many as a policy has paths, and the state folder. A request that hangs costs the process no more than its thread.
const threads = 33;

// Beside the bundle; where the sources run unbundled, as in tests, the one that was built.
const worker = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/statfs.js' : './statfs.js',
  import.meta.url,
);

type Waiting = {
  readonly resolve: (measurement: Measurement) => void;
  readonly reject: (error: unknown) => void;
};

/** Starts a process, which ends with this one. */
export function startMeasuring(): MeasuringProcess {
  const child = spawn(process.execPath, ['--v8-pool-size=1', fileURLToPath(worker)], {
    env: { UV_THREADPOOL_SIZE: String(threads) },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) unref(pipe);
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let complaint = '';
  let failure: Error | undefined;

  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer: Measured = JSON.parse(line);
    const request = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('measurement' in answer) request?.resolve(answer.measurement);
    else request?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  // Writing to a process that has ended; `ended` reports that.
  child.stdin.on('error', () => {});

  const ended = endOf(child).then((how) => {
    failure = new Error(complaint.trim() || how);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  });

  return {
    measure: (hostRoot, path) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        const request: Request = { id: lastId, hostRoot, path };
        child.stdin.write(`${JSON.stringify(request)}\n`);
      }),
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
}

/** Pipes of a child process are sockets, which their type does not say. */
const unref = (pipe: object): void => {
  if (pipe instanceof Socket) pipe.unref();
};

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(`the process ended with ${signal ?? code}`));
  });
