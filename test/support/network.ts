import { createPresentedChain } from '../../src/host/chain.ts';
import { createConnect } from '../../src/host/connect.ts';
import { createHttpDate } from '../../src/host/http-date.ts';
import { createProbe } from '../../src/host/probe.ts';
import { createProxyFor } from '../../src/host/proxy.ts';
import type { Resolve } from '../../src/host/resolve.ts';
import { createTrust } from '../../src/host/trust.ts';
import type { Workload } from '../../src/host/workload.ts';
import type { Host } from '../../src/host.ts';

interface Given {
  /** PEM of the authorities in the device's trust bundle. */
  readonly bundle?: string;
  readonly workload?: Pick<Workload, 'trustBundle'>;
  readonly resolve?: Resolve;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly now?: () => Date;
}

/** The network part of a host, for which every name is loopback. */
export function network(given: Given): Pick<Host, 'probe' | 'presentedChain' | 'httpDate'> {
  const { resolve = async () => ['127.0.0.1'], bundle = '', now = () => new Date() } = given;
  const trust = createTrust({ workload: given.workload ?? { trustBundle: async () => bundle } });
  const connect = createConnect({ resolve, proxyFor: createProxyFor(given) });
  return {
    probe: createProbe({ connect, trust }),
    presentedChain: createPresentedChain({ connect, trust }),
    httpDate: createHttpDate({ connect, trust, now }),
  };
}
