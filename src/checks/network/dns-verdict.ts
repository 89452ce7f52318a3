import type { CannotTell, Verdict } from '../../check.ts';
import { dnsRemedy, serverRemedy } from './dns-remedy.ts';
import { addressesIn, kindOf, listed, lookupsIn, slowest, type View } from './dns-views.ts';

export const dnsReasons = [
  'answers_differ',
  'private_answer',
  'intermittent',
  'refused',
  'server_failed',
  'slow',
] as const;
type DnsVerdict = Verdict<(typeof dnsReasons)[number]>;

/** The verdict over the answers of this device's resolver and of the servers to compare with. */
export function judge(name: string, own: View, others: readonly View[], warnSeconds: number): DnsVerdict {
  return (
    unresolved(name, own, others) ??
    misleading(name, own) ??
    differing(name, own, others) ??
    failingServer(name, others) ??
    unsteady(name, [own, ...others]) ??
    slow(name, [own, ...others], warnSeconds) ?? {
      status: 'pass',
      message: `Resolves to ${listed(addressesIn(own))} in ${slowest(own).toFixed(3)} s`,
    }
  );
}

/** This device gets no address. */
function unresolved(name: string, own: View, others: readonly View[]): DnsVerdict | undefined {
  const [failure] = own.failures;
  if (own.answers.length > 0 || failure === undefined) return undefined;
  const attempts = lookupsIn(own) === 1 ? '' : `, in ${lookupsIn(own)} of ${lookupsIn(own)} lookups`;
  const knowing = others.find(({ answers }) => answers.length > 0);
  const but = knowing ? `; ${knowing.by} resolves it to ${listed(addressesIn(knowing))}` : '';
  const reason = failure.reason === 'not_found' && knowing ? 'answers_differ' : reasonOf(failure);
  return {
    status: 'fail',
    reason,
    message: `${failure.message}${attempts}${but}`,
    remedy: dnsRemedy(reason, name),
  };
}

/**
 * Answers that contradict each other. Different addresses alone do not: content networks and load balancers give
 * different clients different ones. A denied name does, and so does an address of another kind.
 */
function differing(name: string, own: View, others: readonly View[]): DnsVerdict | undefined {
  const denying = others.find(
    ({ answers, failures }) => answers.length === 0 && failures[0]?.reason === 'not_found',
  );
  const elsewhere = others.find((view) => view.answers.length > 0 && kindOf(view) !== kindOf(own));
  const other = denying ?? elsewhere;
  if (!other) return undefined;
  const says = denying ? 'says that the name does not exist' : `answers ${listed(addressesIn(other))}`;
  return {
    status: 'warn',
    reason: 'answers_differ',
    message: `${own.by} answers ${listed(addressesIn(own))} for ${name}, but ${other.by} ${says}`,
    remedy: dnsRemedy('answers_differ', name),
  };
}

/** Names that always resolve to public addresses, unless a filter on the way answers instead. */
const publicDomain =
  /(^|\.)(azure-devices(-provisioning)?\.(net|us|cn)|azurecr\.(io|us|cn)|microsoft\.com|azure\.com|windows\.net|docker\.(io|com))\.?$/i;

function misleading(name: string, own: View): DnsVerdict | undefined {
  const kind = kindOf(own);
  if (kind === 'public' || !publicDomain.test(name)) return undefined;
  const addresses = listed(addressesIn(own));
  const message =
    kind === 'nowhere'
      ? `The public name ${name} resolves to ${addresses}, which leads nowhere: a filter blocks it`
      : `The public name ${name} resolves to the private address ${addresses}`;
  return {
    status: kind === 'nowhere' ? 'fail' : 'warn',
    reason: 'private_answer',
    message,
    remedy: dnsRemedy(kind === 'nowhere' ? 'leads_nowhere' : 'private_answer', name),
  };
}

/** This device gets an answer, but one of the servers to compare with does not. */
function failingServer(name: string, others: readonly View[]): DnsVerdict | undefined {
  const view = others.find(({ answers }) => answers.length === 0);
  const [failure] = view?.failures ?? [];
  if (view === undefined || failure === undefined) return undefined;
  const reason = reasonOf(failure);
  return { status: 'warn', reason, message: failure.message, remedy: remedyFor(reason, name, view) };
}

function unsteady(name: string, views: readonly View[]): DnsVerdict | undefined {
  const view = views.find(({ answers, failures }) => answers.length > 0 && failures.length > 0);
  if (!view) return undefined;
  return {
    status: 'warn',
    reason: 'intermittent',
    message: `${view.by} returned an address in ${view.answers.length} of ${lookupsIn(view)} lookups; otherwise: ${view.failures[0]?.message}`,
    remedy: remedyFor('intermittent', name, view),
  };
}

function slow(name: string, views: readonly View[], warnSeconds: number): DnsVerdict | undefined {
  const view = views.find((each) => slowest(each) > warnSeconds);
  if (!view) return undefined;
  return {
    status: 'warn',
    reason: 'slow',
    message: `${view.by} took ${slowest(view).toFixed(2)} s to look up ${name}, more than ${warnSeconds} s`,
    remedy: remedyFor('slow', name, view),
  };
}

const remedyFor = (reason: Parameters<typeof dnsRemedy>[0], name: string, { server }: View): string =>
  server === undefined ? dnsRemedy(reason, name) : serverRemedy(reason, name, server);

/** The reason of a failed lookup, narrowed to those that this check declares. */
const reasonOf = ({ reason }: CannotTell) =>
  (['not_found', 'timed_out', 'refused'] as const).find((each) => each === reason) ?? 'server_failed';
