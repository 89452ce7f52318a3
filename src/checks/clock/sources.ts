import { CannotTell } from '../../check.ts';
import { isTimeout, withDeadline } from '../../deadline.ts';
import type { ClockHost, TimeSample } from '../../host/clock/types.ts';
import { causeOf, type Estimate, estimate } from './format.ts';

/**
 * Time limit for one source: a quarter of the default for the whole subject, so that a silent source does not delay the
 * others, and enough to send a datagram three times.
 */
export const sourceSeconds = 5;

type SourceHost = Pick<ClockHost, 'sntp' | 'chrony' | 'httpDate'>;

/** The part of the policy that names the sources. */
interface Named {
  readonly servers: readonly string[];
  readonly https: readonly string[];
  readonly chrony: string | false | null;
}

/** A source that gave no sample. */
export interface Silence {
  readonly why: string;
  readonly cause: unknown;
  /** Not reported while others answer. */
  readonly expected: boolean;
}

/** The answers of all sources. */
export interface Answers {
  readonly estimates: readonly Estimate[];
  readonly silences: readonly Silence[];
}

/** Asks all sources at once. When the time is over, those that have answered count. */
export async function askAll(named: Named, host: SourceHost, signal: AbortSignal): Promise<Answers> {
  const answers = await Promise.all(sourcesOf(named, host).map((source) => askOne(source, signal)));
  if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason;
  return {
    estimates: answers.flatMap((answer) => ('low' in answer ? [answer] : [])),
    silences: answers.flatMap((answer) => ('low' in answer ? [] : [answer])),
  };
}

interface Source {
  readonly name: string;
  readonly ask: (signal: AbortSignal) => Promise<TimeSample>;
}

/** Each source once, so that a repeated name has no second vote. */
const sourcesOf = ({ servers, https, chrony }: Named, host: SourceHost): Source[] => [
  ...[...new Set(servers)].map((name) => ({ name, ask: (signal: AbortSignal) => host.sntp(name, signal) })),
  ...[...new Set(https)].map((name) => ({ name, ask: (signal: AbortSignal) => host.httpDate(name, signal) })),
  ...(chrony ? [{ name: 'chrony', ask: (signal: AbortSignal) => host.chrony(chrony, signal) }] : []),
];

async function askOne({ name, ask }: Source, signal: AbortSignal): Promise<Estimate | Silence> {
  try {
    return estimate(name, await withDeadline(sourceSeconds, signal, ask));
  } catch (cause) {
    // chronyd listens on the machine's loopback, which a container with its own network cannot reach.
    const expected = name === 'chrony' && cause instanceof CannotTell && cause.reason === 'not_found';
    return { why: causeOf(name, cause), cause, expected };
  }
}
