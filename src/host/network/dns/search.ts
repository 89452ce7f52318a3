import { type Found, isFinal, type NoAddress } from './name-server.ts';
import type { ResolvConf } from './resolv-conf.ts';

/** A name without an address, by the servers that were asked for it. */
export interface Unresolved extends NoAddress {
  /** In the order of asking, each answer of a server once. */
  readonly replies: readonly { readonly server: string; readonly code: string }[];
}

/** Asks one server for one name. */
type Ask = (name: string, server: string, timeoutMs: number) => Promise<Found | NoAddress>;

/** Looks a name up in the search list as glibc's res_query.c does; `query` asks the servers for one candidate. */
export async function searchName(
  name: string,
  { search, ndots, noTldQuery }: Pick<ResolvConf, 'search' | 'ndots' | 'noTldQuery'>,
  query: (candidate: string) => Promise<Found | Unresolved>,
): Promise<Found | Unresolved> {
  const dots = name.split('.').length - 1;
  const isAbsolute = name.endsWith('.');
  const asIsFirst = isAbsolute || dots >= ndots;
  const asIs = asIsFirst ? await query(name) : undefined;
  if (asIs && (isAbsolute || 'addresses' in asIs)) return asIs;

  const failures: Unresolved[] = [];
  let isTried = asIsFirst;
  for (const domain of search.map((each) => each.replace(/^\./, ''))) {
    // The root, written as a dot.
    if (domain === '') isTried = true;
    const outcome = await query(`${name}.${domain}`);
    if ('addresses' in outcome) return outcome;
    if (outcome.code === 'ECONNREFUSED') return outcome;
    failures.push(outcome);
    if (!['ENOTFOUND', 'ENODATA', 'ESERVFAIL'].includes(outcome.code)) break;
  }
  if (!isTried && (dots > 0 || search.length === 0 || !noTldQuery)) {
    const outcome = await query(name);
    if ('addresses' in outcome) return outcome;
    failures.push(outcome);
  }
  const worst = ['ENODATA', 'ESERVFAIL'].flatMap((code) => failures.find((each) => each.code === code) ?? []);
  const [reported] = [...(asIs ? [asIs] : []), ...worst, ...failures.slice(-1)];
  return reported ?? { code: 'ENOTFOUND', cause: undefined, replies: [] };
}

/**
 * Asks the servers for one name in turn until one has answered, as glibc's res_send.c does: one that fails, refuses or
 * stays silent is followed by the next. Starts at server `offset`. In the first round, a server that is not the only one has
 * at most `firstRoundMs`.
 */
export async function askInTurn(
  name: string,
  { servers, attempts, timeoutSeconds }: Pick<ResolvConf, 'servers' | 'attempts' | 'timeoutSeconds'>,
  { offset, firstRoundMs }: { offset: number; firstRoundMs: number },
  ask: Ask,
): Promise<Found | Unresolved> {
  const failures: (NoAddress & { server: string })[] = [];
  for (let turn = 0; turn < attempts * servers.length; turn += 1) {
    const index = (turn + offset) % servers.length;
    const server = servers[index] ?? '';
    const limitMs = timeoutMs(timeoutSeconds, index, servers.length);
    const isFirstRound = servers.length > 1 && turn < servers.length;
    const reply = await ask(name, server, isFirstRound ? Math.min(limitMs, firstRoundMs) : limitMs);
    if ('addresses' in reply) return reply;
    failures.push({ ...reply, server });
    if (isFinal(reply)) break;
  }
  // The last answer, else silence, else that nothing listens.
  const decisive =
    failures.findLast(({ code }) => code !== 'ETIMEOUT' && code !== 'ECONNREFUSED') ??
    failures.find(({ code }) => code === 'ETIMEOUT') ??
    failures.at(-1);
  const replies = new Map(failures.map(({ server, code }) => [`${server} ${code}`, { server, code }]));
  return {
    code: decisive?.code ?? 'ETIMEOUT',
    cause: decisive?.cause,
    replies: [...replies.values()],
  };
}

/** How long glibc waits for the server at `index` (send_dg in res_send.c). */
function timeoutMs(seconds: number, index: number, count: number): number {
  const scaled = index === 0 ? seconds : Math.trunc((seconds * 2 ** index) / count);
  return Math.max(scaled, 1) * 1000;
}
