import * as z from 'zod';
import { CannotTell } from '../../check.ts';
import { never, orAbort, withDeadline } from '../../deadline.ts';
import type { Files } from '../files/files.ts';
import { type EngineClient, openEngine } from './client.ts';
import { readDaemonFile } from './daemon-file.ts';
import { parseInspection } from './inspect.ts';
import type { Container, Engine, EngineHost } from './types.ts';

/** Checks of one run share an answer. */
const freshMs = 2000;
const lookSeconds = 15;
const maxContainers = 1000;
const inspectionsAtOnce = 8;

interface Options {
  readonly socketPath: string;
  readonly files: Pick<Files, 'read'>;
}

/** The container engine behind a socket, asked once for all checks of a run. */
export function createEngine({ socketPath, files }: Options): EngineHost {
  const look = <T>(work: (client: EngineClient, signal: AbortSignal) => Promise<T>) =>
    shared(() =>
      withDeadline(lookSeconds, never, async (signal) => work(await openEngine(socketPath, signal), signal)),
    );
  return {
    containers: look(listContainers),
    engine: look((client, signal) => describeEngine(client, files, signal)),
  };
}

/** One answer for everybody who asks within two seconds, as the checks of a run do. A caller that gives up ends its own wait only; a failure is not kept. */
function shared<T>(ask: () => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return (signal) => {
    if (!last || performance.now() - last.at > freshMs) {
      const current = { at: performance.now(), answer: ask() };
      last = current;
      current.answer.catch(() => {
        if (last === current) last = undefined;
      });
    }
    return orAbort(last.answer, signal);
  };
}

const listing = z.array(z.object({ Id: z.string().regex(/^[0-9a-f]{12,64}$/) })).max(maxContainers);

async function listContainers(client: EngineClient, signal: AbortSignal): Promise<readonly Container[]> {
  const listed = understood(
    listing,
    await client.get('/containers/json?all=1', signal),
    'list of containers',
  );
  const found: (Container | undefined)[] = [];
  let next = 0;
  const inspectInTurn = async () => {
    for (let index = next++; index < listed.length; index = next++) {
      // One that has been removed since is answered 404.
      const answer = await client.get(`/containers/${listed[index]?.Id ?? ''}/json`, signal);
      found[index] = answer === undefined ? undefined : understoodContainer(answer);
    }
  };
  await Promise.all(Array.from({ length: inspectionsAtOnce }, inspectInTurn));
  return found.filter((container) => container !== undefined);
}

const info = z.object({
  SecurityOptions: z.array(z.string().max(1024)).max(64).nullish(),
  LoggingDriver: z.string().max(256).default(''),
  RegistryConfig: z
    .object({
      InsecureRegistryCIDRs: z.array(z.string().max(256)).max(256).nullish(),
      IndexConfigs: z.record(z.string().max(256), z.object({ Secure: z.boolean().default(true) })).nullish(),
    })
    .nullish(),
  LiveRestoreEnabled: z.boolean().default(false),
  ExperimentalBuild: z.boolean().default(false),
  Warnings: z.array(z.string().max(4096)).max(64).nullish(),
});

async function describeEngine(
  client: EngineClient,
  files: Pick<Files, 'read'>,
  signal: AbortSignal,
): Promise<Engine> {
  const facts = understood(info, await client.get('/info', signal), 'information');
  const { version, minApiVersion } = client.version;
  const openApiWarning = facts.Warnings?.find((warning) => warning.includes('API is accessible on'));
  return {
    version,
    minApiVersion,
    securityOptions: facts.SecurityOptions ?? [],
    logDriver: facts.LoggingDriver,
    insecureRegistries: insecureRegistries(facts),
    liveRestore: facts.LiveRestoreEnabled,
    experimental: facts.ExperimentalBuild,
    ...(openApiWarning === undefined ? {} : { openApiWarning }),
    file: await readDaemonFile(files, signal),
  };
}

/** The engine always trusts registries on this machine. */
function insecureRegistries({ RegistryConfig }: z.output<typeof info>): readonly string[] {
  const networks = (RegistryConfig?.InsecureRegistryCIDRs ?? []).filter(
    (network) => !/^(127\.0\.0\.0\/8|::1\/128)$/.test(network),
  );
  const indexes = Object.entries(RegistryConfig?.IndexConfigs ?? {})
    .filter(([, { Secure }]) => !Secure)
    .map(([name]) => name);
  return [...indexes, ...networks].sort();
}

function understood<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const { success, data } = schema.safeParse(answer);
  if (success) return data;
  // Without the error, which may quote the answer.
  throw new CannotTell('unreadable', `The container engine's ${what} cannot be read`);
}

function understoodContainer(answer: unknown): Container {
  try {
    return parseInspection(answer);
  } catch {
    throw new CannotTell('unreadable', "The container engine's description of a container cannot be read");
  }
}
