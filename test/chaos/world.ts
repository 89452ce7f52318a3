import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type FaultChange, noFaults } from '../../simulator/edge-hub/faults.ts';
import { startSntpServer } from '../../simulator/sntp-server.ts';
import { expiringCertificate, type RunningAgent, startAgent } from '../support/device.ts';
import { refusedPort } from '../support/servers.ts';
import { simulated } from '../support/simulator.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { policies } from './policies.ts';

/** As the image starts it, so that the memory it takes is the image's. */
const nodeOptions = '--max-old-space-size=96 --max-semi-space-size=2';

/** Whether `look`, asked again and again, gave true within so many milliseconds. */
export async function within(
  ms: number,
  look: () => boolean | Promise<boolean>,
  everyMs = 20,
): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    if (await look()) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A device that is watched, and everything around it that can go wrong: edgeHub, the agent, a port, the policy. */
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
  const earlier = { connects: 0, reports: 0 };
  const { hubPort } = simulator;
  const tcpPort = await refusedPort();
  const given = policies({ time: time.port, certificate, hub: hubPort, tcp: tcpPort });

  const policyFile = join(folder, 'fallback.json');
  await writeFile(policyFile, JSON.stringify(given.good('fallback', 20)));
  const environment = {
    ...simulator.environment,
    HARDENING_STATE_DIR: state,
    HARDENING_POLICY_FILE: policyFile,
    NODE_OPTIONS: nodeOptions,
  };
  let agent: RunningAgent | undefined;
  let server: Server | undefined;
  onTestFinished(() => void server?.close());

  /** Of all lives of the simulator. */
  function counts() {
    const { connects, reportedUpdates } = simulator.edgeHub.counters();
    return { connects: earlier.connects + connects, reports: earlier.reports + reportedUpdates };
  }

  return {
    policies: given,
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
    /** Patches the desired properties; gives their new version. */
    async desire(patch: object): Promise<number> {
      const { body } = await simulator.admin('PATCH', '/twin/desired', patch);
      return z.object({ $version: z.number() }).parse(body).$version;
    },
    /** Asks a direct method. The answer may never come: edgeHub goes away meanwhile. */
    invoke: (name: string, payload: object) =>
      simulator.admin('POST', `/methods/${name}?responseTimeoutInSeconds=5`, payload).catch(() => undefined),
    fault: (change: FaultChange) => simulator.admin('PUT', '/faults', change),
    faultsOff: () => simulator.admin('PUT', '/faults', noFaults),
    /** Grows with whatever the agent does that edgeHub notices. */
    activity() {
      const { connectedClients: _, ...counts } = simulator.edgeHub.counters();
      return simulator.lines.length + Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    /** edgeHub recreated in place: another key and another chain, and a twin made anew with the same wishes. */
    async restartSimulator() {
      const { $version: _, ...desired } = simulator.edgeHub.twin().desired;
      const { adminUrl, hubPort, edgeHubMetricsUrl } = simulator;
      const { connects, reports } = counts();
      await simulator.close();
      lines.push(...simulator.lines);
      Object.assign(earlier, { connects, reports });
      simulator = await simulated({
        directory,
        desired,
        hubPort,
        adminPort: Number(new URL(adminUrl).port),
        metricsPort: Number(new URL(edgeHubMetricsUrl).port),
      });
    },
    /** A target of outboundReachability comes or goes. */
    async togglePort() {
      if (server) {
        server.close();
        server = undefined;
        return;
      }
      server = createServer((socket) => socket.destroy()).listen(tcpPort, '127.0.0.1');
      await once(server, 'listening');
    },
    /** What the simulator had to say, of all its lives. */
    simulatorLines: () => [...lines, ...simulator.lines],
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** Resident memory of a process, in MB. proc(5) gives it in kB of 1024. */
export async function residentMegabytes({ child }: RunningAgent): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
