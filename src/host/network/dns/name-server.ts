import { Resolver } from 'node:dns/promises';
import { setTimeout } from 'node:timers/promises';
import { isTimeout } from '../../../deadline.ts';
import { codeOf } from '../../../errors.ts';

/** The addresses of a name. */
export interface Found {
  /** IPv4 first; at least one. */
  readonly addresses: readonly string[];
  /** When a client could connect, by `performance.now()`: a slow second family is not waited for. */
  readonly usableAt: number;
}

/** Why a server gave no address, such as `ENOTFOUND`. */
export interface NoAddress {
  readonly code: string;
  readonly cause: unknown;
}

interface Question {
  readonly name: string;
  /** `IP[:port]` */
  readonly server: string;
  readonly noAaaa?: boolean;
  /** For one query without a retry; by default as c-ares does. */
  readonly timeoutMs?: number;
  /** How long the second address family may take once the first has answered. */
  readonly resolutionDelayMs: number;
  /** Whether to wait for both families even so. */
  readonly bothFamilies: boolean;
}

/**
 * Asks one name server for both address families. The name is taken as it is, without a search list.
 *
 * By c-ares, never by `dns.lookup`, which cannot be cancelled and shares libuv's four threads with every file operation.
 * Rejects with the signal's reason; a deadline that passes while only one family is missing returns the other.
 */
export async function askServer(question: Question, signal: AbortSignal): Promise<Found | NoAddress> {
  signal.throwIfAborted();
  const { name, server, noAaaa = false, timeoutMs } = question;
  // One resolver for each query: cancel() ends all queries of a resolver, and a resolver caches answers.
  const resolver = new Resolver(timeoutMs === undefined ? {} : { timeout: timeoutMs, tries: 1 });
  // setServers() loses the zone of a link-local address; c-ares itself has read it from /etc/resolv.conf.
  if (!server.includes('%')) resolver.setServers([server]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const queries = [resolver.resolve4(name), ...(noAaaa ? [] : [resolver.resolve6(name)])];
    const { answers, usableAt } = await settled(queries, question);
    if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason;
    const addresses = answers.flatMap((answer) => (answer?.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > 0) return { addresses, usableAt };
    signal.throwIfAborted();
    return decisive(answers.flatMap((answer) => (answer?.status === 'rejected' ? [answer.reason] : [])));
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

/** The answers that came before the second family was given up (RFC 8305, section 3). */
async function settled(
  queries: readonly Promise<string[]>[],
  { resolutionDelayMs, bothFamilies }: Pick<Question, 'resolutionDelayMs' | 'bothFamilies'>,
) {
  const answers: (PromiseSettledResult<string[]> | undefined)[] = queries.map(() => undefined);
  const all = Promise.all(
    queries.map(async (query, index) => {
      [answers[index]] = await Promise.allSettled([query]);
    }),
  );
  const delayed = Promise.any(queries).then(
    () => setTimeout(resolutionDelayMs, undefined, { ref: false }),
    () => all,
  );
  await Promise.race([all, delayed]);
  const usableAt = performance.now();
  if (bothFamilies) await all;
  return { answers: [...answers], usableAt };
}

/** The answers that end the search among the servers, in the order in which glibc reports them. */
const finalCodes = ['ENOTFOUND', 'EFORMERR', 'EBADNAME', 'ENODATA'];

/** Whether a server has answered. Otherwise another one may know better. */
export const isFinal = ({ code }: NoAddress): boolean => finalCodes.includes(code);

/** The families' common reason: an answer counts more than a failure, and a failure more than silence. */
function decisive(causes: readonly unknown[]): NoAddress {
  const all = causes.map((cause) => ({ code: codeOf(cause) ?? String(cause), cause }));
  const final = finalCodes.flatMap((code) => all.find((each) => each.code === code) ?? []);
  const [first] = [...final, ...all.filter(({ code }) => code !== 'ETIMEOUT'), ...all];
  return first ?? { code: 'ENODATA', cause: undefined };
}
