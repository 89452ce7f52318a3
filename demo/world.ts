import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSntpServer } from '../simulator/sntp-server.ts';
import { createRoot } from '../simulator/workload/pki.ts';

/** What the demonstration's policy can point at: things that exist on any machine, offline too. */
export interface DemonstrationWorld {
  /** Of a time server on 127.0.0.1 that is right. */
  readonly sntpPort: number;
  /** Of the simulated edgeHub on localhost: MQTT over TLS. */
  readonly hubPort: number;
  /** A file with a certificate that expires in twelve days. */
  readonly expiringCertificate: string;
  /** A probe target that refuses connections. */
  readonly closedTarget: string;
}

const dayMs = 86_400_000;

/** Makes the world, apart from the hub, with a folder for the agent's state. `close` leaves nothing behind. */
export async function createWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'eflow-hardening-demo-'));
  const sntp = await startSntpServer();
  const expiringCertificate = join(folder, 'expires-in-twelve-days.pem');
  const { certificate } = await createRoot({
    commonName: 'demonstration.local',
    notBefore: new Date(Date.now() - 353 * dayMs),
    // An hour more, so that the page says twelve.
    notAfter: new Date(Date.now() + 12 * dayMs + 3_600_000),
  });
  await writeFile(expiringCertificate, certificate);
  return {
    stateDir: join(folder, 'state'),
    world: {
      sntpPort: sntp.port,
      expiringCertificate,
      closedTarget: `tcp://127.0.0.1:${await closedPort()}`,
    },
    async close() {
      sntp.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port on which nothing listens: one the system has just given out and taken back. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
