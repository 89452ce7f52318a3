import { z } from 'zod';
import { CannotTell, defineCheck, type Endpoint, type Host, type Names } from '../check.ts';
import { absolutePath } from './absolute-path.ts';
import { judgeCertificates, type Origin } from './certificate-verdict.ts';

const endpointNames = ['edgehub', 'iothub'] as const;

const pathOrPattern = absolutePath.refine((path) => !path.includes('**'), {
  error: '"**" is not supported, name each folder level with "*"',
});

const params = z
  .strictObject({
    files: z
      .array(pathOrPattern)
      .max(32)
      .default(['/var/lib/aziot/certd/certs/*'])
      .describe('Paths or globs of PEM or DER files; a path without a wildcard must exist.'),
    endpoints: z
      .array(z.enum(endpointNames))
      .max(endpointNames.length)
      .default([...endpointNames])
      .describe('Whose presented certificate chain is judged as well.'),
    warnDays: z.number().min(0).max(3650).default(30),
    failDays: z.number().min(0).max(3650).default(7),
    renewAtFraction: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .describe('The part of its life after which a certificate should have been renewed.'),
  })
  .refine(({ warnDays, failDays }) => warnDays >= failDays, {
    path: ['warnDays'],
    error: 'is below failDays, so it would never warn',
  });

/** Where the certificates of a subject come from, or why there are none. */
type Source =
  | { readonly kind: 'file'; readonly path: string; readonly named: boolean }
  | { readonly kind: 'endpoint'; readonly origin: Origin; readonly endpoint: Endpoint }
  | { readonly kind: 'none'; readonly why: CannotTell };

/** `{ target, source }`: one for each file found, named file and endpoint. */
interface Item {
  readonly target: string;
  readonly source: Source;
}

/** Looks at each certificate's dates: in certd's files, and as edgeHub and IoT Hub present them. */
export const certificateExpiry = defineCheck({
  id: 'certificateExpiry',
  title: 'No certificate is expired, about to expire or overdue for renewal',
  params,
  reasons: ['expired', 'not_yet_valid', 'expires_soon', 'renewal_overdue', 'unreachable'],
  gauges: {
    certificate_not_after_timestamp_seconds: {
      help: 'When the certificate expires, as a Unix timestamp.',
      labels: ['target', 'subject'],
    },
    certificate_not_before_timestamp_seconds: {
      help: 'When the certificate becomes valid, as a Unix timestamp.',
      labels: ['target', 'subject'],
    },
  },

  needs: ({ files, endpoints }) => [
    ...files.map((path) => ({ kind: 'path', path: beforeWildcard(path) }) as const),
    ...endpoints.map((name) => ({ kind: 'network', what: `TLS to ${display[name]}` }) as const),
  ],

  async subjects({ files, endpoints }, host, signal) {
    const found = await Promise.all(files.map((path) => filesOf(path, host, signal)));
    const all = [...found.flat(), ...endpoints.map((name) => endpointItem(name, host.names))];
    // A file that is named as well as matched by a glob is examined once, as the named one.
    const named = ({ source }: Item) => source.kind === 'file' && source.named;
    const unique = new Map([...all, ...all.filter(named)].map((item) => [item.target, item]));
    return [...unique.values()];
  },

  async examine({ target, source }, { warnDays, failDays, renewAtFraction }, host, signal) {
    const limits = { now: host.now(), warnDays, failDays, renewAtFraction };
    if (source.kind === 'none') throw source.why;
    if (source.kind === 'endpoint') {
      const chain = await host.presentedChain(source.endpoint, signal);
      return judgeCertificates(chain, { target, origin: source.origin }, limits);
    }
    try {
      const certificates = await host.certificates(source.path, signal);
      return judgeCertificates(certificates, { target, origin: 'file' }, limits);
    } catch (error) {
      if (!source.named || !(error instanceof CannotTell) || error.reason !== 'not_found') throw error;
      return {
        status: 'fail',
        reason: 'not_found',
        message: `There is no certificate file ${target}`,
        remedy: `Put a certificate at ${target} (certd writes its own after: sudo iotedge config apply), or take the path out of "files".`,
      };
    }
  },
});

const display = { edgehub: 'edgeHub', iothub: 'the IoT Hub' };

const wildcard = /[*?[{]/;

/** A path as it is; of a pattern the folder above its first wildcard. */
function beforeWildcard(path: string): string {
  const segments = path.split('/');
  const first = segments.findIndex((segment) => wildcard.test(segment));
  return first < 0 ? path : segments.slice(0, first).join('/') || '/';
}

async function filesOf(pattern: string, host: Host, signal: AbortSignal): Promise<Item[]> {
  if (!wildcard.test(pattern)) return [fileItem(pattern, true)];
  try {
    const found = await host.findFiles(pattern, signal);
    if (found.length > 0) return found.map((path) => fileItem(path, false));
    return [without(pattern, new CannotTell('not_applicable', `No file matches ${pattern}`))];
  } catch (error) {
    // One folder that cannot be listed must not hide the others.
    if (error instanceof CannotTell) return [without(pattern, error)];
    throw error;
  }
}

function endpointItem(name: keyof typeof display, names: Names): Item {
  const known = name === 'edgehub' ? names.gateway : names.iothub;
  // IoT Hub presents the same chain on every port, and 443 is the one least often blocked.
  const endpoint = known === undefined ? undefined : parseEndpoint(known, name === 'edgehub' ? 8883 : 443);
  if (!endpoint) {
    return without(name, new CannotTell('not_applicable', `The name of ${display[name]} is not known here`));
  }
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return { target: `tls://${host}:${endpoint.port}`, source: { kind: 'endpoint', origin: name, endpoint } };
}

/** `name`, `name:port`, `[address]` or `[address]:port`. */
function parseEndpoint(text: string, defaultPort: number): Endpoint | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: Number(port ?? defaultPort) };
}

const fileItem = (path: string, named: boolean): Item => ({
  target: path,
  source: { kind: 'file', path, named },
});

const without = (target: string, why: CannotTell): Item => ({ target, source: { kind: 'none', why } });
