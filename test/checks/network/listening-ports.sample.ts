import type { Listener } from '../../../src/host/network/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const tcp = (port: number): Listener => ({ protocol: 'tcp', address: '0.0.0.0', port, uid: 0 });
const listening = (...ports: number[]) => ({
  listeners: async () => ({ ownPort: 9600, listeners: ports.map(tcp) }),
  containers: async () => [],
});

export const sample: Sample = {
  check: 'listeningPorts',
  good: { host: listening(22, 443, 5671, 8883, 9600) },
  bad: { host: listening(22, 23), status: 'warn', reason: 'not_allowed' },
  demonstration: { policy: () => ({ allowed: ['tcp/1-65535', 'udp/1-65535'] }), status: 'pass' },
};
