import { request } from 'node:http';
import { z } from 'zod';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';

const longestAnswerBytes = 1024 * 1024;

/** The part of IoT Edge's workload API that is asked here. */
export interface Workload {
  readonly socketPath: string;
  /** The device's trust bundle as PEM. */
  trustBundle(signal: AbortSignal): Promise<string>;
  /**
   * What edged lists of each module; asked of nobody's identity. The list holds labels too, and edgeAgent's have its
   * environment with secrets in them: nothing but what {@link EdgeModule} names is kept.
   */
  modules: Host['modules'];
}

/**
 * The workload API at `unix:///path`, as edgeAgent sets it in `IOTEDGE_WORKLOADURI`. Calls reject with
 * {@link CannotTell} `not_found`, `no_access` or `unreadable`.
 */
export function createWorkload(uri: string): Workload {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(uri)?.[1];
  if (socketPath === undefined) throw new Error(`The workload URI "${uri}" is not of the form unix:///path`);

  const ask = async <T>(path: string, shape: z.ZodType<T>, signal: AbortSignal): Promise<T> => {
    const asked = `GET ${path} on ${socketPath}`;
    const { status, body } = await get(socketPath, `${path}?api-version=2018-06-28`, signal);
    if (status !== 200) throw new CannotTell('unreadable', `${asked} was answered ${status}`);
    const { success, data, error } = shape.safeParse(parseJson(body));
    if (success) return data;
    throw new CannotTell('unreadable', `${asked} was answered in a form that is not known`, { cause: error });
  };

  return {
    socketPath,
    trustBundle: async (signal) => (await ask('/trust-bundle', trustBundle, signal)).certificate,
    modules: async (signal) => (await ask('/modules', modules, signal)).modules,
  };
}

const trustBundle = z.object({ certificate: z.string() });

/** Whatever is not named here is dropped. */
const modules = z.object({
  modules: z.array(
    z
      .object({ name: z.string(), config: z.object({ settings: z.object({ image: z.string() }) }) })
      .transform(({ name, config }) => ({ name, image: config.settings.image })),
  ),
});

/** For a host that is no module. */
export const noModules: Host['modules'] = async () => {
  throw new CannotTell('not_applicable', 'The modules of this device are not known: the agent is not one', {
    remedy: 'Run as an IoT Edge module, which is given the workload API.',
  });
};

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

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // ConfirmedFinding as an answer of another shape.
    return undefined;
  }
}
