import { CannotTell, type HostFor, type Subject } from '../../check.ts';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../endpoint.ts';
import type { Names } from '../../host.ts';
import { expandAll } from '../params/placeholders.ts';
import { parseProbeTarget } from '../params/probe-target.ts';
import {
  type CertificatePlaces,
  isOwnEndpoint,
  isPattern,
  type OwnEndpoint,
  ownEndpoints,
} from './places.ts';

/** Where certificates come from, which decides the remedy. */
export type Origin = 'file' | 'server' | OwnEndpoint;

/** Something that holds certificates, or why that could not be determined. */
export type CertificateSubject = Subject & Source;
type Source =
  | NamedFile
  | MatchedFile
  /** More files of one pattern than are reported one by one. */
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'endpoint'; readonly origin: Exclude<Origin, 'file'>; readonly endpoint: Endpoint }
  | { readonly kind: 'none'; readonly why: CannotTell };

/** A file that the policy names, so it must exist. */
interface NamedFile {
  readonly kind: 'file';
  readonly named: true;
}

/** A file that a pattern matches. */
interface MatchedFile {
  readonly kind: 'file';
  readonly named: false;
  /** On the first match only: all of them, so that it also answers for a pattern that matches nothing but keys. */
  readonly pattern?: { readonly text: string; readonly paths: readonly string[] };
}

/** A pattern that matches more files than this is one finding, which bounds reports and metrics. */
const maxFindings = 100;

/** The policy's files and endpoints on this device, each once. */
export async function certificateSubjects(
  { files, endpoints }: CertificatePlaces,
  host: HostFor<'findFiles' | 'modules'>,
  signal: AbortSignal,
): Promise<readonly CertificateSubject[]> {
  const inFiles = await Promise.all(files.map((path) => filesOf(path, host, signal)));
  const onWire = await Promise.all(endpoints.map((each) => endpointsOf(each, host, signal)));
  const all = [...inFiles, ...onWire].flat();
  // The more specific one stays: a file that the policy names must exist, and edgeHub has its own remedy.
  const byTarget = new Map(all.map((subject) => [subject.target, subject]));
  for (const subject of all.filter(isSpecific)) byTarget.set(subject.target, subject);
  return [...byTarget.values()];
}

const isSpecific = (subject: CertificateSubject): boolean =>
  (subject.kind === 'file' && subject.named) || (subject.kind === 'endpoint' && subject.origin !== 'server');

async function filesOf(
  pattern: string,
  host: HostFor<'findFiles'>,
  signal: AbortSignal,
): Promise<CertificateSubject[]> {
  if (!isPattern(pattern)) return [{ target: pattern, kind: 'file', named: true }];
  try {
    const paths = await host.findFiles(pattern, signal);
    if (paths.length > maxFindings) return [{ target: pattern, kind: 'files', paths }];
    if (paths.length > 0) {
      const all = { text: pattern, paths };
      return paths.map((target, i) => ({
        target,
        kind: 'file',
        named: false,
        ...(i === 0 && { pattern: all }),
      }));
    }
    return [none(pattern, new CannotTell('not_applicable', `No file matches ${pattern}`))];
  } catch (error) {
    // A folder that cannot be listed must not hide the others.
    if (!(error instanceof CannotTell)) throw error;
    return [none(pattern, error.reason === 'not_found' ? missingFolder(pattern, error) : error)];
  }
}

const missingFolder = (pattern: string, cause: CannotTell): CannotTell =>
  new CannotTell('not_found', cause.message, {
    cause,
    remedy: `Correct ${pattern} in "files", or remove it. certd creates its own folder: \`sudo iotedge config apply\``,
  });

async function endpointsOf(
  text: string,
  host: HostFor<'modules'>,
  signal: AbortSignal,
): Promise<CertificateSubject[]> {
  if (isOwnEndpoint(text)) return [ownEndpoint(text, host.names)];
  const targets = await expandAll([text], host, signal);
  return targets.map(({ target, cannotTell }) => {
    const parsed = cannotTell ?? parseProbeTarget(target);
    if (parsed instanceof CannotTell) return none(target, parsed);
    if (typeof parsed === 'string') return none(target, new CannotTell('unreadable', `${target} ${parsed}`));
    return { target, kind: 'endpoint', origin: 'server', endpoint: { host: parsed.host, port: parsed.port } };
  });
}

function ownEndpoint(name: OwnEndpoint, names: Names): CertificateSubject {
  const known = name === 'edgehub' ? names.gateway : names.iothub;
  // IoT Hub presents the same chain on every port, and 443 is the least often blocked.
  const endpoint = known === undefined ? undefined : parseEndpoint(known, name === 'edgehub' ? 8883 : 443);
  if (endpoint === undefined || typeof endpoint === 'string') {
    return none(name, new CannotTell('not_applicable', `The name of ${ownEndpoints[name]} is unknown here`));
  }
  return { target: `tls://${formatEndpoint(endpoint)}`, kind: 'endpoint', origin: name, endpoint };
}

const none = (target: string, why: CannotTell): CertificateSubject => ({ target, kind: 'none', why });
