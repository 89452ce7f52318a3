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

interface Given {
  /** PEM of the authorities in the device's trust bundle. */
  readonly bundle?: string;
  readonly workload?: Pick<Workload, 'trustBundle'>;
  readonly resolve?: Resolve;
  /** As the variable `https_proxy` has it. */
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly now?: () => Date;
}

/** The network part of a host, for which every name is loopback. */
export function network(given: Given): Pick<Host, 'probe' | 'presentedChain' | 'httpDate'> {
  const { resolve = async () => ['127.0.0.1'], bundle = '', now = () => new Date() } = given;
  const trust = createTrust({ workload: given.workload ?? { trustBundle: async () => bundle } });
  const connect = createConnect({
    resolve,
    proxyFor: createProxyFor(parseProxy(given.httpsProxy ?? ''), given.noProxy ?? ''),
  });
  return {
    probe: createProbe({ connect, trust }),
    presentedChain: createPresentedChain({ connect, trust }),
    httpDate: createHttpDate({ connect, trust, now }),
  };
}
