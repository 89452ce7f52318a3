import { createRoot } from '../../../simulator/workload/pki.ts';
import { world4 } from './namespaces.ts';
import { hub, many, ports } from './places.ts';
import type { WorldServer } from './world.ts';

/** The servers of the world, and the authority that has certified most of them. */
export async function worldServers() {
  const root = await createRoot({ commonName: 'World Root' });
  const unknown = await createRoot({ commonName: 'Inspector' });
  const names = [hub, 'one.test', world4];
  const valid = await root.issue({ commonName: 'hub', names });
  const day = 86_400_000;
  const expired = await root.issue({
    commonName: 'hub',
    names,
    notBefore: new Date(Date.now() - 2 * day),
    notAfter: new Date(Date.now() - day),
  });
  const wrongName = await root.issue({ commonName: 'hub', names: ['other.test'] });
  const intercepted = await unknown.issue({ commonName: 'hub', names });
  const servers: WorldServer[] = [
    { ports: [ports.tls, ports.ipv4Dropped, ports.ipv6Dropped, ...many], ...valid },
    { ports: [ports.expired], ...expired },
    { ports: [ports.wrongName], ...wrongName },
    { ports: [ports.unknown], ...intercepted },
    { ports: [ports.silent, ports.dropped, ports.rejected, ports.reset, ports.prohibited] },
    {
      ports: [ports.https],
      ...valid,
      answers: {
        '/v2/': { status: 401, type: 'application/json' },
        '/ok': { status: 200 },
        '/moved': { status: 302 },
        '/forbidden': { status: 403 },
        '/broken': { status: 503 },
      },
    },
    { ports: [ports.portal], ...valid, answers: { '/v2/': { status: 200, type: 'text/html' } } },
  ];
  return { servers, authority: root.certificate };
}
