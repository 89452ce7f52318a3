import * as z from 'zod';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import { maxModules, parseListedModule } from './listed-module.ts';
import type { EdgeModule } from './types.ts';
import { requestOverUnixSocket } from './unix-request.ts';

const maxBytes = 1024 * 1024;

/** The part of IoT Edge's workload API that is used here. */
export interface Workload {
  readonly socketPath: string;
  /** The device's trust bundle as PEM. */
  trustBundle(signal: AbortSignal): Promise<string>;
  /** The modules that edged lists, which needs no module identity. A malformed one is left out. */
  modules(signal: AbortSignal): Promise<readonly EdgeModule[]>;
  /** HMAC-SHA256 with the key of a module, base64. edged only signs for the module that asks. */
  sign(
    module: { readonly name: string; readonly generation: string },
    data: string,
    signal: AbortSignal,
  ): Promise<string>;
}

/**
 * The workload API at `unix:///path`, as edgeAgent sets it in `IOTEDGE_WORKLOADURI`. Calls reject with
 * {@link CannotTell} `not_found`, `no_access` or `unreadable`.
 */
export function createWorkload(uri: string): Workload {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(uri)?.[1];
  if (socketPath === undefined) throw new Error(`The workload URI must be unix:///path, got "${uri}"`);

  const call = async <T>(
    { name, body }: { readonly name: string; readonly body?: unknown },
    shape: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const what = `${body === undefined ? 'GET' : 'POST'} ${name} on ${socketPath}`;
    const path = `${name}?api-version=2018-06-28`;
    const asked = { socketPath, what, path, body, maxBytes };
    const answer = await requestOverUnixSocket(asked, signal);
    if (answer.status !== 200) throw new CannotTell('unreadable', `${what} was answered ${answer.status}`);
    const { success, data, error } = shape.safeParse(parseJson(answer.body));
    if (success) return data;
    // Without the error, which has the library's words and lists every problem.
    const field = error.issues[0]?.path.join('.');
    const wrong = field ? `without a valid "${field}"` : 'with something other than a JSON object';
    throw new CannotTell('unreadable', `${what} was answered ${wrong}`);
  };

  return {
    socketPath,
    trustBundle: async (signal) => (await call({ name: '/trust-bundle' }, trustBundle, signal)).certificate,
    modules: async (signal) => (await call({ name: '/modules' }, modules, signal)).modules,
    sign: async ({ name, generation }, data, signal) => {
      const path = `/modules/${encodeURIComponent(name)}/genid/${encodeURIComponent(generation)}/sign`;
      const body = { keyId: 'primary', algo: 'HMACSHA256', data: Buffer.from(data).toString('base64') };
      return (await call({ name: path, body }, digest, signal)).digest;
    },
  };
}

const trustBundle = z.object({ certificate: z.string() });
const digest = z.object({ digest: z.base64().min(1) });

// Whatever the elements are: one that is malformed must not hide the others.
const modules = z
  .object({ modules: z.array(z.unknown()).max(maxModules) })
  .transform(({ modules: listed }) => ({ listed, modules: distinct(listed.map(parseListedModule)) }))
  .refine(({ listed, modules: read }) => listed.length === 0 || read.length > 0, { path: ['modules'] });

const distinct = (all: readonly (EdgeModule | undefined)[]): readonly EdgeModule[] => [
  ...new Map(all.flatMap((module) => (module ? [[module.name, module] as const] : []))).values(),
];

/** The module list of a host that is not a module. */
export const noModules: Host['modules'] = async () => {
  throw new CannotTell(
    'not_applicable',
    'The modules of this device are unknown: the agent does not run as a module',
    {
      remedy: 'Deploy the agent as an IoT Edge module, which gives it the workload API.',
    },
  );
};

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Reported as something else than a JSON object.
    return undefined;
  }
}
