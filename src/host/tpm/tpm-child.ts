import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { orAbort } from '../../deadline.ts';
import type { Endpoint } from '../../endpoint.ts';
import type { Tpm } from './types.ts';

/** Where a TPM is: a device of the kernel, or an address that speaks the simulator protocol. */
export type Place = { readonly device: string } | Endpoint;

/** The line that the worker prints. */
export type Answered =
  | { readonly tpm: Omit<Tpm, 'at'> }
  | { readonly failure: { readonly message: string; readonly code?: string; readonly isAnswer: boolean } };

// Beside the bundle; where the sources run unbundled, as in tests, the one that was built.
const worker = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/tpm.js' : './tpm.js',
  import.meta.url,
);

/** An answer has a few kilobytes. */
const maxLength = 65_536;

/** A process that asks a TPM. It does not keep this process from exiting, and ends with it. */
export interface AskingProcess {
  /** Rejects when the process ends without an answer, and with the signal's reason once that fires, which kills it. */
  readonly answer: Promise<Answered>;
  /** Settles when the process is gone: a system call may outlive even SIGKILL. */
  readonly ended: Promise<void>;
}

/** Asks a TPM in a process of its own, because a TPM that hangs blocks whoever asks it, uncancellable. */
export function startAsking(place: Place, signal: AbortSignal): AskingProcess {
  const flags = ['--v8-pool-size=1', '--max-old-space-size=32', '--no-deprecation'];
  const child = spawn(process.execPath, [...flags, fileURLToPath(worker), JSON.stringify(place)], {
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) unref(pipe);
  let said = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.length > maxLength) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  // Its end is reported by `close`.
  child.stdin.on('error', () => {});

  const how = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (code, killedBy) => resolve(`the process ended with ${killedBy ?? code}`));
  });
  const answer = how.then((end): Answered => {
    if (said.endsWith('\n') && said.length <= maxLength) return JSON.parse(said);
    throw new Error('Could not ask the TPM', { cause: new Error(complaint.trim() || end) });
  });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const ended = how.then(() => signal.removeEventListener('abort', kill));
  return { answer: orAbort(answer, signal), ended };
}

/** Pipes of a child process are sockets, which their type does not say. */
const unref = (pipe: object): void => {
  if (pipe instanceof Socket) pipe.unref();
};
