import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type FaultChange, noFaults } from '../../simulator/edge-hub/faults.ts';
import { startSntpServer } from '../../simulator/sntp-server.ts';
import { expiringCertificate, type RunningAgent, startAgent } from '../support/programs/device.ts';
import { simulated } from '../support/servers/simulator.ts';
import { refusedPort } from '../support/servers/tcp.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { policies } from './policies.ts';

/** Polls a condition; false when it did not hold within `ms` milliseconds. */
export async function within(
  ms: number,
  condition: () => boolean | Promise<boolean>,
  everyMs = 20,
): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A device under test and everything that can fail around it: edgeHub, the agent, a port, the policy. */
export async function createWorld() {
  const folder = await tempFolder();
  const state = join(folder, 'state');
  await mkdir(state);
  const time = await startSntpServer();
  onTestFinished(time.close);
  const certificate = await expiringCertificate(folder);

  const directory = join(folder, 'edge');
  let simulator = await simulated({ directory });
  onTestFinished(() => simulator.close());
  const lines: string[] = [];
  const before = { connects: 0, reports: 0 };
  const { hubPort } = simulator;
  const tcpPort = await refusedPort();
  const devicePolicies = policies({ time: time.port, certificate, hub: hubPort, tcp: tcpPort });

  const policyFile = join(folder, 'fallback.json');
  await writeFile(policyFile, JSON.stringify(devicePolicies.valid('fallback', 20)));
  const environment = {
    ...simulator.environment,
    HARDENING_STATE_DIR: state,
    HARDENING_POLICY_FILE: policyFile,
  };
  let agent: RunningAgent | undefined;
  let server: Server | undefined;
  onTestFinished(() => void server?.close());

  /** Totals over all restarts of the simulator. */
  function counts() {
    const { connects, reportedUpdates } = simulator.edgeHub.counters();
    return { connects: before.connects + connects, reports: before.reports + reportedUpdates };
  }

  return {
    policies: devicePolicies,
    counts,
    agent() {
      if (!agent) throw new Error('No agent was started');
      return agent;
    },
    async startAgent() {
      agent = await startAgent(environment);
      return agent;
    },
    twin: () => simulator.edgeHub.twin(),
    /** Patches the desired properties and returns their new version. */
    async desire(patch: object): Promise<number> {
      const { body } = await simulator.admin('PATCH', '/twin/desired', patch);
      return z.object({ $version: z.number() }).parse(body).$version;
    },
    /** Calls a direct method. Errors are ignored: edgeHub may stop before it answers. */
    invoke: (name: string, payload: object) =>
      simulator.admin('POST', `/methods/${name}?responseTimeoutInSeconds=5`, payload).catch(() => undefined),
    fault: (change: FaultChange) => simulator.admin('PUT', '/faults', change),
    faultsOff: () => simulator.admin('PUT', '/faults', noFaults),
    /** A number that grows with every action of the agent that edgeHub sees. */
    activity() {
      const { connectedClients: _, ...counts } = simulator.edgeHub.counters();
      return simulator.lines.length + Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    /** Recreates edgeHub: a new key and chain, and a new twin with the same desired properties. */
    async restartSimulator() {
      const { $version: _, ...desired } = simulator.edgeHub.twin().desired;
      const { adminUrl, hubPort, edgeHubMetricsUrl } = simulator;
      const { connects, reports } = counts();
      await simulator.close();
      lines.push(...simulator.lines);
      Object.assign(before, { connects, reports });
      simulator = await simulated({
        directory,
        desired,
        hubPort,
        adminPort: Number(new URL(adminUrl).port),
        metricsPort: Number(new URL(edgeHubMetricsUrl).port),
      });
    },
    /** Opens or closes the port of an outboundReachability target. */
    async togglePort() {
      if (server) {
        server.close();
        server = undefined;
        return;
      }
      server = createServer((socket) => socket.destroy()).listen(tcpPort, '127.0.0.1');
      await once(server, 'listening');
    },
    /** The simulator's log over all its restarts. */
    simulatorLines: () => [...lines, ...simulator.lines],
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** Resident memory of the agent in MiB, from VmRSS of proc(5) in KiB. */
export async function residentMegabytes({ child }: RunningAgent): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
