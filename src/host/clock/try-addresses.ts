import { setTimeout } from 'node:timers/promises';
import { CannotTell } from '../../check.ts';
import { orAbort, withCancel } from '../../deadline.ts';
import { type Endpoint, parseEndpoint } from '../../endpoint.ts';

/**
 * After this long the next request is sent. NTP clients send their bursts at intervals of 2 s (BTIME, RFC 5905 section 13),
 * so asking again is no abuse.
 */
const silenceSeconds = 2;

/**
 * Asks the addresses, at least one, in turn until one answers, and silent ones again until the signal fires. A late answer to
 * an earlier request counts: over a satellite it takes longer than the next request waits. An address that refused or
 * answered badly is not asked twice; once none is left, rejects with what each one answered.
 */
export const tryAddresses = <T>(
  addresses: readonly string[],
  ask: (address: string, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> =>
  withCancel(signal, async (cancelled) => {
    const failures = new Map<string, unknown>();
    const open = () => addresses.filter((address) => !failures.has(address));
    const running = new Set<Promise<T | undefined>>();
    const start = (address: string): void => {
      const attempt = ask(address, cancelled).catch((error: unknown) => {
        failures.set(address, error);
        running.delete(attempt);
        return undefined;
      });
      running.add(attempt);
    };

    for (let round = open(); round.length > 0; round = open()) {
      for (const address of round) {
        start(address);
        const silence = setTimeout(silenceSeconds * 1000, undefined, { signal: cancelled });
        const answer = await orAbort(Promise.race([...running, silence]), cancelled);
        if (answer !== undefined) return answer;
      }
    }
    throw summary([...failures.values()]);
  });

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
