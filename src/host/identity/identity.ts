import { join } from 'node:path/posix';
import * as z from 'zod';
import { CannotTell } from '../../check.ts';
import { within } from '../../deadline.ts';
import { codeOf } from '../../errors.ts';
import type { Files } from '../files/files.ts';
import { askIdentityd } from './identityd.ts';
import { readConfiguration, type Table } from './toml-files.ts';
import type { CertificateIssuance, IdentityHost, Provisioning } from './types.ts';
import { wayOf } from './way.ts';

const socket = '/run/aziot/identityd.sock';
const socketSeconds = 5;

interface Options {
  readonly files: Pick<Files, 'find' | 'read' | 'inspect'>;
  readonly hostRoot: string;
  /** Where the socket is mounted at its own path. */
  readonly ownSocket?: string;
  readonly userId?: number | undefined;
}

/** What identityd and certd are configured to do. */
export function createIdentity({
  files,
  hostRoot,
  ownSocket = socket,
  userId = process.geteuid?.(),
}: Options): IdentityHost {
  const sockets = [...new Set([join(hostRoot, socket), ownSocket])];
  const configurationOf = (service: string, signal: AbortSignal) =>
    readConfiguration(`/etc/aziot/${service}`, files, signal);

  return {
    async provisioning(signal) {
      const asked = userId === 0 ? undefined : await ask(sockets, signal);
      if (asked && !(asked instanceof CannotTell)) return asked;
      try {
        return provisioningIn(await configurationOf('identityd', signal));
      } catch (error) {
        signal.throwIfAborted();
        throw asked ?? withSocketRemedy(error);
      }
    },
    certificateIssuance: async (signal) => issuanceIn(await configurationOf('certd', signal)),
    configuredHostName: async (signal) =>
      named.parse(await configurationOf('identityd', signal)).hostname ?? undefined,
    async configurationState(signal) {
      const written = await files.inspect('/etc/aziot/config.toml', signal);
      try {
        const applied = await files.inspect('/etc/aziot/identityd/config.d/00-super.toml', signal);
        return written.modifiedAt > applied.modifiedAt ? 'newer' : 'applied';
      } catch (error) {
        if (error instanceof CannotTell && error.reason === 'not_found') return 'never';
        throw error;
      }
    },
  };
}

/** The first answer of a socket; the reason of one that is there and gives none; undefined where none is mounted. */
async function ask(
  sockets: readonly string[],
  signal: AbortSignal,
): Promise<Provisioning | CannotTell | undefined> {
  let problem: CannotTell | undefined;
  for (const path of sockets) {
    try {
      return await within(socketSeconds, signal, (deadline) => askIdentityd(path, deadline));
    } catch (error) {
      signal.throwIfAborted();
      const { reason } = error instanceof CannotTell ? error : {};
      if (reason === 'not_found') continue;
      problem ??=
        reason === 'no_access'
          ? new CannotTell('unreadable', `This module may not use ${path}`, {
              remedy: groupRemedy,
              cause: error,
            })
          : error instanceof CannotTell
            ? error
            : new CannotTell('timed_out', `${path} did not answer within ${socketSeconds} s`, {
                cause: error,
              });
    }
  }
  return problem;
}

const groupRemedy = `Give the module the group of aziotid: "HostConfig": { "GroupAdd": [ "GROUP ID" ] }, with the id that \`stat -c %g ${socket}\` prints, and a "User" other than root`;

/**
 * The socket is the smallest thing to give: it tells no secret to a user other than root, while the configuration beside that of
 * identityd is full of them.
 */
function withSocketRemedy(error: unknown): unknown {
  if (!(error instanceof CannotTell)) return error;
  const isAbsent = error.reason === 'no_access';
  const message = isAbsent
    ? 'How this device is provisioned is not known: neither the socket nor the configuration of identityd is mounted'
    : error.message;
  if (!isAbsent && codeOf(error.cause) !== 'EACCES') return error;
  return new CannotTell(error.reason, message, {
    cause: error.cause,
    remedy: `Mount the socket: "HostConfig": { "Binds": [ "${socket}:${socket}" ], "GroupAdd": [ "GROUP ID" ] }, with the id that \`stat -c %g ${socket}\` prints. Keep the module's "User" other than root: root could ask identityd for everything`,
  });
}

const text = z.string().max(1024).optional().catch(undefined);
const table = <T extends z.ZodRawShape>(shape: T) => z.object(shape).optional().catch(undefined);

const named = z.object({ hostname: text });

/** Nothing but these keys leaves identityd's configuration. */
const identityKeys = z.object({
  provisioning: table({
    source: text,
    authentication: table({ method: text }),
    attestation: table({
      method: text,
      registration_id: z
        .union([z.string().max(1024), z.object({ CN: text })])
        .optional()
        .catch(undefined),
    }),
  }),
});

function provisioningIn(configuration: Table): Provisioning {
  const { provisioning } = identityKeys.parse(configuration);
  const method = provisioning?.authentication?.method ?? provisioning?.attestation?.method;
  const way = wayOf(provisioning?.source, method);
  if (way === undefined)
    throw new CannotTell(
      'unreadable',
      "identityd's configuration does not say how this device is provisioned",
    );
  const id = provisioning?.attestation?.registration_id;
  return { way, evidence: 'configuration', registrationId: typeof id === 'object' ? id.CN : id };
}

const url = z.string().max(4096).optional().catch(undefined);
const issuance = z.object({ method: text, url }).catch({});

/** Nothing but methods and addresses leaves certd's configuration: it has user names and passwords. */
const certKeys = z.object({
  cert_issuance: z.record(z.string().max(256), z.unknown()).optional().catch(undefined),
  preloaded_certs: z.record(z.string().max(256), z.unknown()).optional().catch(undefined),
});

const edgeCaId = 'aziot-edged-ca';

function issuanceIn(configuration: Table): CertificateIssuance {
  const { cert_issuance: issued = {}, preloaded_certs: preloaded = {} } = certKeys.parse(configuration);
  const methods = new Map(Object.entries(issued).map(([id, value]) => [id, issuance.parse(value)]));
  const method = methods.get(edgeCaId)?.method;
  const known = (['est', 'local_ca', 'self_signed'] as const).find((each) => each === method);
  const defaults = z.object({ urls: z.record(z.string(), url).optional().catch(undefined) }).catch({});
  const urls = [
    ...[...methods.values()].map((each) => each.url),
    ...Object.values(defaults.parse(issued.est).urls ?? {}),
  ];
  return {
    edgeCa: known ?? (Object.hasOwn(preloaded, edgeCaId) ? 'file' : 'none'),
    estServers: [...new Set(urls.flatMap((each) => serverOf(each) ?? []))].sort(),
  };
}

/** `https://host[:port]`, without a path, a query or credentials. */
function serverOf(written: string | undefined): string | undefined {
  if (written === undefined || !URL.canParse(written)) return undefined;
  const { protocol, host } = new URL(written);
  return host === '' ? undefined : `${protocol}//${host}`;
}
