import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type Resolved, resolveInRoot } from '../files/root.ts';

/** What statfs(2) says, in bytes and inodes, and of what. */
export interface Statfs {
  readonly resolved: Resolved;
  /** Absent when nothing is there. */
  readonly numbers?: {
    readonly sizeBytes: number;
    readonly freeBytes: number;
    readonly availableBytes: number;
    readonly files: number;
    readonly filesFree: number;
  };
}

/** A process that looks at filesystems, each look on a thread of its own. It does not keep this one from exiting. */
export interface LookingProcess {
  /** Settles when the filesystem answers, however late; rejects with a system error, or once the process has gone. */
  look(hostRoot: string, path: string): Promise<Statfs>;
  /** Ends it, if the kernel lets it go. */
  kill(): void;
  readonly gone: Promise<void>;
}

// As many as a policy has paths, and the state folder. Threads are all the process costs for each look that hangs.
const threads = 33;

// Sizes are counted in fragments (statvfs(3)); older versions of Node give the block size alone, mostly the same.
// Where a look hangs, Node would wait for its thread at exit: the end of the input is the end of the process.
const script = `
const fs = require('node:fs');
const resolveInRoot = ${resolveInRoot};
async function look(hostRoot, path) {
  const resolved = await resolveInRoot(hostRoot, path, fs.promises);
  if (resolved.existing !== resolved.path) return { resolved };
  const { frsize, bsize, blocks, bfree, bavail, files, ffree } = await fs.promises.statfs(resolved.path, { bigint: true });
  const bytes = (count) => Number(count * (frsize || bsize));
  return { resolved, numbers: {
    sizeBytes: bytes(blocks), freeBytes: bytes(bfree), availableBytes: bytes(bavail),
    files: Number(files), filesFree: Number(ffree),
  } };
}
require('node:readline').createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, hostRoot, path } = JSON.parse(line);
    look(hostRoot, path)
      .then((seen) => ({ id, seen }), ({ code, message }) => ({ id, error: { code, message } }))
      .then((answer) => process.stdout.write(JSON.stringify(answer) + '\\n'));
  })
  .on('close', () => process.kill(process.pid, 'SIGKILL'));
`;

type Answer = { readonly id: number } & (
  | { readonly seen: Statfs }
  | { readonly error: { readonly code?: string; readonly message: string } }
);
type Waiting = { readonly resolve: (seen: Statfs) => void; readonly reject: (error: unknown) => void };

/** Starts one. It ends when this process does. */
export function startLooking(): LookingProcess {
  const child = spawn(process.execPath, ['--v8-pool-size=1', '--eval', script], {
    env: { UV_THREADPOOL_SIZE: String(threads) },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) unref(pipe);
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let complaint = '';
  let ended: Error | undefined;

  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer: Answer = JSON.parse(line);
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('seen' in answer) asker?.resolve(answer.seen);
    else asker?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  // Writing to one that has gone; its going is told below.
  child.stdin.on('error', () => {});

  const gone = whenGone(child).then((how) => {
    ended = new Error(complaint.trim() || how);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  });

  return {
    look: (hostRoot, path) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        asked += 1;
        waiting.set(asked, { resolve, reject });
        child.stdin.write(`${JSON.stringify({ id: asked, hostRoot, path })}\n`);
      }),
    kill: () => void child.kill('SIGKILL'),
    gone,
  };
}

/** Pipes of a child process are sockets, which their type does not say. */
const unref = (pipe: object): void => {
  if (pipe instanceof Socket) pipe.unref();
};

const whenGone = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(`the look ended with ${signal ?? code}`));
  });
