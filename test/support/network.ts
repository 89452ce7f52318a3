import { parseProxy } from '../../src/endpoint.ts';
import { createPresentedChain } from '../../src/host/certificates/presented-chain.ts';
import { createHttpDate } from '../../src/host/clock/http-date.ts';
import type { Workload } from '../../src/host/edge/workload.ts';
import { createConnect } from '../../src/host/network/connect.ts';
import { createProbe } from '../../src/host/network/probe.ts';
import { createProxyFor } from '../../src/host/network/proxy.ts';
import type { Resolve } from '../../src/host/network/resolve.ts';
import { createTrust } from '../../src/host/tls/trust.ts';
import type { Host } from '../../src/host.ts';

interface NetworkOptions {
  /** The CA certificates of the device's trust bundle, as PEM. */
  readonly bundle?: string;
  readonly workload?: Pick<Workload, 'trustBundle'>;
  readonly resolve?: Resolve;
  /** The value of the variable `https_proxy`. */
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly now?: () => Date;
}

/** The network methods of a host; by default every name resolves to loopback. */
export function network(options: NetworkOptions): Pick<Host, 'probe' | 'presentedChain' | 'httpDate'> {
  const { resolve = async () => ['127.0.0.1'], bundle = '', now = () => new Date() } = options;
  const trust = createTrust({ workload: options.workload ?? { trustBundle: async () => bundle } });
  const connect = createConnect({
    resolve,
    proxyFor: createProxyFor(parseProxy(options.httpsProxy ?? ''), options.noProxy ?? ''),
  });
  return {
    probe: createProbe({ connect, trust }),
    presentedChain: createPresentedChain({ connect, trust }),
    httpDate: createHttpDate({ connect, trust, now }),
  };
}
