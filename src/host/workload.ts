import { request } from 'node:http';
import { CannotTell } from '../check.ts';

const longestAnswerBytes = 1024 * 1024;

/** The part of IoT Edge's workload API that is asked here. */
export interface Workload {
  /** The device's trust bundle as PEM. */
  trustBundle(signal: AbortSignal): Promise<string>;
}

/**
 * The workload API at `unix:///path`, as edgeAgent sets it in `IOTEDGE_WORKLOADURI`. Calls reject with
 * {@link CannotTell} `not_found`, `no_access` or `unreadable`.
 */
export function createWorkload(uri: string): Workload {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(uri)?.[1];
  if (socketPath === undefined) throw new Error(`The workload URI "${uri}" is not of the form unix:///path`);

  return {
    async trustBundle(signal) {
      const path = '/trust-bundle?api-version=2018-06-28';
      const { status, body } = await get(socketPath, path, signal);
      const asked = `GET ${path} on ${socketPath}`;
      if (status !== 200) throw new CannotTell('unreadable', `${asked} was answered ${status}`);
      const bundle = parse(body);
      if (bundle === undefined)
        throw new CannotTell('unreadable', `${asked} was answered without a certificate`);
      return bundle;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) =>
      reject(signal.aborted ? signal.reason : failure(socketPath, cause));
    // The host of a URL on a unix socket means nothing; without a name of it, some servers answer 400.
    const asked = request({ socketPath, path, host: 'workload', agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > longestAnswerBytes) response.destroy(new Error(`more than ${longestAnswerBytes} bytes`));
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
      response.on('error', fail);
    });
    asked.on('error', fail);
    asked.end();
  });
}

function failure(socketPath: string, cause: NodeJS.ErrnoException): CannotTell {
  const code = cause.code ?? cause.message;
  const reason = code === 'ENOENT' ? 'not_found' : code === 'EACCES' ? 'no_access' : 'unreadable';
  return new CannotTell(reason, `The workload API at ${socketPath} gave no answer (${code})`, { cause });
}

function parse(body: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || !('certificate' in answer)) return undefined;
    return typeof answer.certificate === 'string' ? answer.certificate : undefined;
  } catch {
    return undefined;
  }
}
