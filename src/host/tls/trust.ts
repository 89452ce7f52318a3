import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';
import { never, orAbort, within } from '../../deadline.ts';
import { describeFailure } from '../../errors.ts';
import { readRegularFile } from '../../read-file.ts';
import type { Workload } from '../edge/workload.ts';

/** The CAs that this device trusts. */
export interface Trusted {
  readonly context: tls.SecureContext;
  readonly authorities: readonly X509Certificate[];
  /** Why CAs may be missing from the list; absent when it is complete. */
  readonly problem?: string;
}

/** The trusted CAs now. Rejects only with the signal's reason. */
export type Trust = (signal: AbortSignal) => Promise<Trusted>;

interface Options {
  /** Provides the device's trust bundle. */
  readonly workload?: Pick<Workload, 'trustBundle'>;
  /** PEM files with more CAs: `EdgeModuleCACertificateFile`, `NODE_EXTRA_CA_CERTS`. */
  readonly caFiles?: readonly string[];
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** The bundle changes when the device's CA is renewed, without notice. */
const keepMs = 5 * 60_000;
/** Four times the largest CA bundle of a distribution. */
const maxBytes = 1_048_576;
/** For a socket on this machine. Probes wait for it within their own time limit. */
const readSeconds = 1;

/**
 * Node's default CAs and the device's own, which are read when needed and kept for five minutes. A source that cannot be read
 * keeps its last CAs; `problem` says so, and the next call tries again.
 */
export function createTrust({ workload, caFiles = [], now = () => performance.now() }: Options): Trust {
  const sources: Source[] = caFiles.map((path) => ({
    name: path,
    read: async (signal) => (await readRegularFile(path, { maxBytes }, signal)).toString(),
  }));
  if (workload) sources.push({ name: 'the trust bundle', read: (signal) => workload.trustBundle(signal) });
  const lastGood = new Map<Source, readonly X509Certificate[]>();
  let defaults: readonly X509Certificate[] | undefined;
  let trusted: Trusted | undefined;
  let completeAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<Trusted> | undefined;

  const read = async (): Promise<Trusted> => {
    const problems: string[] = [];
    for (const source of sources) {
      try {
        lastGood.set(source, parse(await within(readSeconds, never, source.read)));
      } catch (cause) {
        problems.push(describeFailure(`${source.name} could not be read`, cause));
      }
    }
    defaults ??= defaultAuthorities();
    trusted = withAuthorities(trusted, [...defaults, ...[...lastGood.values()].flat()]);
    if (problems.length > 0) return { ...trusted, problem: problems.join('; ') };
    completeAt = now();
    return trusted;
  };

  return async (signal) => {
    if (trusted !== undefined && now() - completeAt < keepMs) return trusted;
    // Shared by all callers, so it has its own deadline instead of their signals.
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return orAbort(reading, signal);
  };
}

interface Source {
  readonly name: string;
  read(signal: AbortSignal): Promise<string>;
}

/** A context takes some 140 certificates, so it is built only when they change. */
function withAuthorities(current: Trusted | undefined, certificates: readonly X509Certificate[]): Trusted {
  const byFingerprint = new Map(certificates.map((each) => [each.fingerprint256, each]));
  const authorities = [...byFingerprint.values()];
  const known = new Set(current?.authorities.map(({ fingerprint256 }) => fingerprint256));
  if (
    current &&
    known.size === byFingerprint.size &&
    authorities.every((each) => known.has(each.fingerprint256))
  ) {
    return current;
  }
  return { authorities, context: tls.createSecureContext({ ca: authorities.map(String) }) };
}

function parse(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('it holds no certificate');
  return blocks.map((block) => new X509Certificate(block));
}

function defaultAuthorities(): readonly X509Certificate[] {
  // In Node since 22.15; unlike rootCertificates it knows the options --use-system-ca and --use-openssl-ca.
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => readonly string[] };
  return (getCACertificates?.('default') ?? tls.rootCertificates).map((pem) => new X509Certificate(pem));
}
