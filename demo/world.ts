import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSntpServer } from '../simulator/sntp-server.ts';
import { createRoot, dayMs } from '../simulator/workload/pki.ts';
import { startEngine } from './engine.ts';

/** What the demonstration's policy can point at. It works on any machine, offline too. */
export interface DemonstrationWorld {
  /** Port of a correct time server on 127.0.0.1. */
  readonly sntpPort: number;
  /** Port of the simulated edgeHub on localhost, MQTT over TLS. */
  readonly hubPort: number;
  /** Path of a certificate that expires in twelve days. */
  readonly expiringCertificate: string;
  /** A probe target that refuses connections. */
  readonly closedTarget: string;
}

/** Creates everything but the hub, and a path for the agent's state. `close` removes all of it. */
export async function createWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'eflow-hardening-demo-'));
  const sntp = await startSntpServer();
  const engineSocket = join(folder, 'engine.sock');
  const engine = await startEngine(engineSocket);
  const expiringCertificate = join(folder, 'expires-in-twelve-days.pem');
  const { certificate } = await createRoot({
    commonName: 'demonstration.local',
    notBefore: new Date(Date.now() - 353 * dayMs),
    // One hour more, so that the page still says twelve days.
    notAfter: new Date(Date.now() + 12 * dayMs + 3_600_000),
  });
  await writeFile(expiringCertificate, certificate);
  return {
    stateDir: join(folder, 'state'),
    engineSocket,
    world: {
      sntpPort: sntp.port,
      expiringCertificate,
      closedTarget: `tcp://127.0.0.1:${await closedPort()}`,
    },
    async close() {
      sntp.close();
      engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port without a listener: opened on a free port and closed again. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
