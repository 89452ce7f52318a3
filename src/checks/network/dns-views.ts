import { CannotTell, type HostFor } from '../../check.ts';
import { isTimeout, withDeadline } from '../../deadline.ts';
import type { LookUp } from '../../host/network/types.ts';
import { type AddressKind, addressKind } from '../params/address-kind.ts';

/** As long as glibc waits for a server by default (resolv.conf(5)). */
const serverSeconds = 5;
/** Long enough for the second server to answer when the first is silent. */
const resolverSeconds = 10;
/** Repeated lookups find a name that resolves only sometimes. A slow lookup is not repeated. */
const maxLookups = 3;

/** The answers of the system's resolver, or of one server, for a name. */
export interface View {
  /** `This device's resolver`, or the server. */
  readonly by: string;
  /** Undefined for the system's own resolver. */
  readonly server: string | undefined;
  readonly answers: readonly LookUp[];
  readonly failures: readonly CannotTell[];
}

interface Question {
  readonly name: string;
  /** Undefined for the system's own resolver. */
  readonly server: string | undefined;
  /** A longer lookup is slow. */
  readonly slowSeconds: number;
}

/** Queries one server, or the system's resolver, several times. Rejects only with the signal's reason, or for a bug. */
export async function viewOf(
  { name, server, slowSeconds }: Question,
  host: HostFor<'lookUp'>,
  signal: AbortSignal,
): Promise<View> {
  const answers: LookUp[] = [];
  const failures: CannotTell[] = [];
  const by = server ?? "This device's resolver";
  const limit = server === undefined ? resolverSeconds : serverSeconds;
  while (answers.length + failures.length < maxLookups) {
    const startedAt = performance.now();
    try {
      const answer = await withDeadline(limit, signal, (deadline) => host.lookUp(name, server, deadline));
      answers.push(answer);
    } catch (error) {
      signal.throwIfAborted();
      const failure = isTimeout(error) ? silence(name, by, limit) : error;
      if (!(failure instanceof CannotTell)) throw failure;
      failures.push(failure);
      if (failure.reason === 'timed_out') break;
    }
    // Also one that waited long for the second address family, or for a silent server before another failed.
    const elapsedSeconds = (performance.now() - startedAt) / 1000;
    if (Math.max(elapsedSeconds, answers.at(-1)?.seconds ?? 0) > slowSeconds) break;
  }
  return { by, server, answers, failures };
}

const silence = (name: string, by: string, seconds: number): CannotTell =>
  new CannotTell('timed_out', `${by} did not answer for ${name} within ${seconds} s`);

/** The number of lookups, successful and failed. */
export const lookupsIn = ({ answers, failures }: View): number => answers.length + failures.length;

/** Seconds of the slowest successful lookup; -Infinity without one. */
export const slowest = ({ answers }: View): number => Math.max(...answers.map(({ seconds }) => seconds));

/** The addresses of all answers, each once. */
export const addressesIn = ({ answers }: View): string[] => [
  ...new Set(answers.flatMap(({ addresses }) => addresses)),
];

/** The worst kind of any address in the answers. */
export function kindOf(view: View): AddressKind {
  const kinds = addressesIn(view).map(addressKind);
  return (['nowhere', 'private'] as const).find((kind) => kinds.includes(kind)) ?? 'public';
}

/** `10.0.0.4 and 10.0.0.5`, or how many more. */
export function listed(addresses: readonly string[]): string {
  const more = addresses.length - 3;
  return more > 0 ? `${addresses.slice(0, 3).join(', ')} and ${more} more` : addresses.join(' and ');
}
