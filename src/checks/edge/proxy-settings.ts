import * as z from 'zod';
import { CannotTell, defineCheck, type HostFor } from '../../check.ts';
import type { ProxyVariables } from '../../host/edge/types.ts';

/** The port on which modules reach edgeHub. */
const edgeHubPort = 8883;

/** A process with its proxy: `host:port`, or undefined where it has none. */
interface Party {
  readonly target: 'edgeAgent' | 'edgeHub' | 'hardening';
  readonly proxy: string | undefined;
  /** What the others have: edgeAgent's proxy, or the only one. */
  readonly expected: string | undefined;
  /** Why its proxy is not known. */
  readonly unknown?: CannotTell;
}

/** Compares the agent's proxy with those of the runtime: whoever goes another way sees another network. */
export const proxySettings = defineCheck({
  id: 'proxySettings',
  title: 'This module and the runtime use the same proxy',
  params: z.strictObject({}),
  uses: ['modules', 'containers', 'ownProxy'],
  reasons: ['differs', 'missing', 'no_proxy_missing'],

  needs: () => [{ kind: 'socket', socket: 'workload' }],

  async subjects(_, host, signal): Promise<readonly Party[]> {
    const known: readonly Omit<Party, 'expected'>[] = [
      await partyOf('edgeAgent', agentProxy, host, signal),
      await partyOf('edgeHub', hubProxy, host, signal),
      { target: 'hardening', proxy: host.ownProxy().https },
    ];
    const expected = known.find(({ proxy }) => proxy !== undefined)?.proxy;
    return known.map((party) => ({ ...party, expected }));
  },

  async examine({ target, proxy, expected, unknown }: Party, _, host) {
    if (unknown) throw unknown;
    const name = target === 'hardening' ? 'This module' : target;
    if (expected === undefined)
      return { status: 'pass', message: `${name} uses no proxy, as nobody does here` };
    if (proxy === undefined) {
      return {
        status: 'warn',
        reason: 'missing',
        message: `${name} has no https_proxy, while ${target === 'hardening' ? 'the runtime' : 'this module'} uses ${expected}`,
        remedy: setIt(target, expected),
      };
    }
    if (proxy !== expected) {
      return {
        status: 'warn',
        reason: 'differs',
        message: `${name} uses the proxy ${proxy}, and the runtime uses ${expected}`,
        remedy: setIt(target, expected),
      };
    }
    const through = target === 'hardening' ? withoutBypass(host) : [];
    if (through.length > 0) {
      return {
        status: 'warn',
        reason: 'no_proxy_missing',
        message: `${name} would ask the proxy ${proxy} for ${listed(through)}, which ${through.length === 1 ? 'is' : 'are'} not in no_proxy`,
        remedy: `Add ${through.join(',')} to "no_proxy" in the environment of this module in the deployment`,
      };
    }
    return { status: 'pass', message: `${name} uses the proxy ${proxy}` };
  },
});

type Lookup = (host: HostFor<'modules' | 'containers'>, signal: AbortSignal) => Promise<ProxyVariables>;

/** A source that gives no answer costs only its own finding. */
async function partyOf(
  target: Party['target'],
  look: Lookup,
  host: HostFor<'modules' | 'containers'>,
  signal: AbortSignal,
): Promise<Omit<Party, 'expected'>> {
  try {
    return { target, proxy: (await look(host, signal)).https?.toLowerCase() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CannotTell) return { target, proxy: undefined, unknown: error };
    throw error;
  }
}

const agentProxy: Lookup = async (host, signal) => {
  const { modules } = await host.modules(signal);
  const proxy = modules.find(({ name }) => name === 'edgeAgent')?.proxy;
  if (proxy) return proxy;
  throw new CannotTell('not_applicable', "The module list does not show edgeAgent's environment");
};

const hubProxy: Lookup = async (host, signal) => {
  const containers = await host.containers(signal);
  const hub = containers.find(({ name }) => name === 'edgeHub');
  if (hub) return hub.proxy;
  throw new CannotTell('not_applicable', 'There is no container edgeHub on this device');
};

/** The names on this device that the agent's own requests would leave through the proxy for. */
function withoutBypass(host: HostFor<'ownProxy'>): readonly string[] {
  const { gateway } = host.names;
  const names = ['localhost', 'edgeHub', ...(gateway === undefined ? [] : [gateway])];
  return names.filter((name) => !host.ownProxy().bypasses({ host: name, port: edgeHubPort }));
}

const setIt = (target: Party['target'], proxy: string): string =>
  target === 'edgeAgent'
    ? `Set "https_proxy" to http://${proxy} in the environment of edgeAgent in the deployment, and in [agent.env] of /etc/aziot/config.toml, which its first start uses; then \`sudo iotedge config apply\``
    : `Set "https_proxy" to http://${proxy} in the environment of ${target === 'edgeHub' ? 'edgeHub' : 'this module'} in the deployment`;

/** `a, b and c` */
const listed = (parts: readonly string[]): string => parts.join(', ').replace(/, (?=[^,]*$)/, ' and ');
