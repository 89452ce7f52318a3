import { CannotTell } from '../../check.ts';
import { requestOverUnixSocket } from '../edge/unix-request.ts';

/** Everything that is ever asked. An id consists of hex digits. */
export type EnginePath = '/info' | '/system/df' | '/containers/json?all=1' | `/containers/${string}/json`;

const allowed = /^(\/info|\/system\/df|\/containers\/json\?all=1|\/containers\/[0-9a-f]{12,64}\/json)$/;
const maxBytes = 8 * 1_048_576;
/** The newest version of the API whose answers are known here. */
const newest = 52;

/** The engine's answer to `GET /version`. */
export interface EngineVersion {
  readonly version: string;
  readonly apiVersion: string;
  readonly minApiVersion: string;
}

/** A client of the container engine that sends nothing but GET. */
export interface EngineClient {
  readonly version: EngineVersion;
  /** The parsed answer; undefined for 404. Rejects with a {@link CannotTell} `unreadable`. */
  get(path: EnginePath, signal: AbortSignal): Promise<unknown>;
}

/**
 * Asks for the engine's version and agrees on one of its API: the newest that both know. Rejects with a {@link CannotTell}:
 * `no_access` without a socket, `unreadable` for one that this process may not use or that gives no usable answer.
 */
export async function openEngine(socketPath: string, signal: AbortSignal): Promise<EngineClient> {
  const get = async (path: string, deadline: AbortSignal): Promise<unknown> => {
    const what = `GET ${path} on ${socketPath}`;
    const { status, body } = await requestOverUnixSocket({ socketPath, what, path, maxBytes }, deadline);
    if (status === 404) return undefined;
    if (status !== 200) throw new CannotTell('unreadable', `${what} was answered ${status}`);
    try {
      return JSON.parse(body);
    } catch {
      throw new CannotTell('unreadable', `${what} was answered with something other than JSON`);
    }
  };
  const version = versionOf(await get('/version', signal).catch(explain(socketPath)), socketPath);
  const minor = Math.max(Math.min(minorOf(version.apiVersion), newest), minorOf(version.minApiVersion));
  return {
    version,
    get: (path, deadline) => {
      if (!allowed.test(path)) throw new TypeError(`Not a path that is asked: ${path}`);
      return get(`/v1.${minor}${path}`, deadline);
    },
  };
}

/** The errors of a socket that is absent or closed to this process, with the createOptions that change that. */
const explain = (socketPath: string) => (error: unknown) => {
  const { reason, message } = error instanceof CannotTell ? error : {};
  if (reason === 'not_found') {
    throw new CannotTell('no_access', `The container engine's socket is not mounted at ${socketPath}`, {
      remedy: `Mount it: "HostConfig": { "Binds": [ "/var/run/docker.sock:${socketPath}" ], "GroupAdd": [ "GROUP ID" ] }, with the id that \`stat -c %g /var/run/docker.sock\` prints. Whoever has this socket is root on the device`,
    });
  }
  if (reason === 'no_access') {
    throw new CannotTell(
      'unreadable',
      `User id ${process.geteuid?.()} of this module may not use ${socketPath}`,
      {
        cause: error,
        remedy: `Give the module the group of the socket: "HostConfig": { "GroupAdd": [ "GROUP ID" ] }, with the id that \`stat -c %g /var/run/docker.sock\` prints`,
      },
    );
  }
  throw message === undefined ? error : new CannotTell('unreadable', message, { cause: error });
};

function versionOf(answer: unknown, socketPath: string): EngineVersion {
  const fields = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>;
  const { Version: version = '', ApiVersion: apiVersion, MinAPIVersion: minApiVersion = '1.12' } = fields;
  const isVersion = (value: unknown): value is string =>
    typeof value === 'string' && /^1\.\d{1,3}$/.test(value);
  if (
    typeof version !== 'string' ||
    version.length > 64 ||
    !isVersion(apiVersion) ||
    !isVersion(minApiVersion)
  ) {
    throw new CannotTell('unreadable', `What answers on ${socketPath} is not a container engine`);
  }
  return { version, apiVersion, minApiVersion };
}

/** 47 of `1.47`. */
export const minorOf = (apiVersion: string): number => Number(apiVersion.slice(2));
