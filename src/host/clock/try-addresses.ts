import { CannotTell } from '../../check.ts';
import { isTimeout, withDeadline } from '../../deadline.ts';
import { type Endpoint, parseEndpoint } from '../../endpoint.ts';

/**
 * After this long a datagram counts as lost. NTP clients send their bursts at intervals of 2 s (BTIME, RFC 5905 section 13),
 * so asking again is no abuse.
 */
const silenceSeconds = 2;

/**
 * Asks the addresses, at least one, in turn until one answers, and silent ones again until the signal fires. An address that
 * refused or answered badly is not asked twice; once none is left, rejects with what each one answered.
 */
export async function tryAddresses<T>(
  addresses: readonly string[],
  ask: (address: string, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const failures = new Map<string, unknown>();
  const open = () => addresses.filter((address) => !failures.has(address));

  for (let round = open(); round.length > 0; round = open()) {
    for (const address of round) {
      try {
        return await withDeadline(silenceSeconds, signal, (attempt) => ask(address, attempt));
      } catch (error) {
        signal.throwIfAborted();
        if (!isTimeout(error)) failures.set(address, error);
      }
    }
  }
  throw summary([...failures.values()]);
}

/** The host and port of a time source, as a policy writes it. */
export function addressOf(text: string, defaultPort: number): Endpoint {
  const endpoint = parseEndpoint(text, defaultPort);
  if (typeof endpoint !== 'string') return endpoint;
  throw new CannotTell('unreadable', `"${text}" must be host, host:port or [IPv6]:port (${endpoint})`);
}

function summary(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (failures.length === 1) return first;
  const messages = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  return new CannotTell(first instanceof CannotTell ? first.reason : 'unreadable', messages.join('; '), {
    cause: new AggregateError(failures),
  });
}
