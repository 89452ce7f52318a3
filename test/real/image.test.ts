import { mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { createRoot } from '../../simulator/workload/pki.ts';
import { checks } from '../../src/checks/index.ts';
import { have, isRoot } from '../support/programs/installed.ts';
import { type Engine, startEngine } from './engine.ts';
import { moduleContainer } from './module.ts';

const image = 'eflow-hardening-agent:test';
const gatewayName = 'edgehub.test';
const checkIds = checks.map(({ id }) => id);
const certificate = '/var/lib/aziot/certd/certs/device-id.pem';
const canRun = isRoot && process.arch === 'x64' && have('dockerd', 'docker', 'debootstrap', 'ip');

const reported = z.object({
  checks: z.record(z.string(), z.object({ status: z.string(), findings: z.array(z.unknown()).optional() })),
});

describe.skipIf(!canRun)('the amd64 image (root; apt-get install docker.io debootstrap iproute2)', () => {
  const aborting = new AbortController();
  let folder: string;
  let deviceRoot: string;
  let engine: Engine;
  let simulator: Simulator;
  let module: Docker.Container;
  let pid: number;
  let address: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hardening-image-'));
    engine = await startEngine(aborting.signal);
    await engine.build('Dockerfile.amd64', image);
    simulator = await startSimulator({
      ...{ hubPort: 0, adminPort: 0, metricsPort: 0 },
      ...{ host: gatewayName, address: engine.gateway },
    });
    simulator.edgeHub.patchDesired({ policy: localPolicy(engine.gateway, simulator.hubPort) });

    deviceRoot = join(folder, 'device');
    await mkdir(dirname(deviceRoot + certificate), { recursive: true });
    await writeCertificate(5.5);
    const options = { image, deviceRoot, simulator, gateway: engine.gateway, gatewayName };
    module = await engine.docker.createContainer(await moduleContainer(options));
    await module.start();
    const { State, NetworkSettings } = await module.inspect();
    pid = State.Pid;
    address = `http://${NetworkSettings.Networks.bridge?.IPAddress}:9600`;
    try {
      await eventually(async () => expect((await fetch(`${address}/readyz`)).status).toBe(200));
    } catch (cause) {
      throw new Error(`The module did not become ready:\n${await output(module)}`, { cause });
    }
  }, 300_000);

  afterAll(async () => {
    aborting.abort();
    await module?.remove({ force: true, v: true });
    await simulator?.close();
    await engine?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const writeCertificate = async (days: number) => {
    const root = await createRoot({ commonName: 'device root' });
    const notAfter = new Date(Date.now() + days * 86_400_000);
    const issued = await root.issue({ commonName: 'device', notAfter });
    await writeFile(deviceRoot + certificate, issued.certificate);
  };
  const statuses = async () => {
    const page = await (await fetch(`${address}/metrics`)).text();
    return Object.fromEntries(
      [...page.matchAll(/^hardening_check_status\{check="(\w+)"\} (\d)$/gm)].map(([, id, value]) => [
        id,
        value,
      ]),
    );
  };
  const twinChecks = () => reported.parse(simulator.edgeHub.twin().reported).checks;

  test('the process runs as user 65532, without capabilities and without a way to gain any', async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test.each(['sh', 'bash', 'busybox', 'npm', 'apt-get'])('the image contains no %s', async (program) => {
    await expect(runOnce(engine.docker, [program])).rejects.toThrow(/executable file not found/);
  });

  test('eflow-hardening is on the PATH and runs without a shell', async () => {
    const { output, exitCode } = await runOnce(engine.docker, ['eflow-hardening', 'list']);
    expect(exitCode, output).toBe(0);
    for (const id of checkIds) expect(output).toContain(id);
  });

  test('the metrics include every check', async () => {
    expect(Object.keys(await statuses()).sort()).toEqual([...checkIds].sort());
  });

  test('the twin has the same statuses as the metrics', async () => {
    const numbers = ['pass', 'warn', 'fail', 'unknown', 'skip'];
    await eventually(async () => {
      const inTwin = Object.entries(twinChecks()).map(([id, { status }]) => [
        id,
        String(numbers.indexOf(status)),
      ]);
      expect(Object.fromEntries(inTwin)).toEqual(await statuses());
    });
    expect(twinChecks().outboundReachability?.status).toBe('pass');
  });

  test('a certificate of the device is read through the read-only mount', async () => {
    expect(twinChecks().certificateExpiry?.findings).toContainEqual(
      expect.objectContaining({ target: expect.stringContaining(certificate), status: 'fail' }),
    );
  });

  test('the filesystem of /var/lib is measured through the state volume', async () => {
    const { blocks, bsize } = await statfs(engine.dataRoot);
    const page = await (await fetch(`${address}/metrics`)).text();
    const size = /^hardening_filesystem_size_bytes\{target="\/var\/lib"\} (\S+)$/m.exec(page)?.[1];
    expect(Number(size)).toBe(blocks * bsize);
  });

  test('a threshold changed in the twin changes the status', async () => {
    expect(twinChecks().diskSpace?.status).toBe('pass');
    simulator.edgeHub.patchDesired({ policy: { checks: { diskSpace: { minSizeGiB: 1_000_000 } } } });
    await eventually(async () => expect(twinChecks().diskSpace?.status).not.toBe('pass'));
  });

  test('nothing was written outside the state volume', async () => {
    const changes = z.array(z.object({ Path: z.string() })).parse((await module.changes()) ?? []);
    const { Mounts } = await module.inspect();
    const mounted = ({ Path }: { Path: string }) =>
      Mounts.some(({ Destination }) => Destination === Path || Destination.startsWith(`${Path}/`));
    expect(changes.filter((change) => !mounted(change))).toEqual([]);
  });

  test('peak memory stays below two thirds of the limit', async () => {
    const { HostConfig } = await module.inspect();
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    expect(HostConfig.Memory).toBeGreaterThan(0);
    expect(Number(peak) * 1024).toBeLessThan((HostConfig.Memory ?? 0) * (2 / 3));
  });

  test('a stop takes less than 5 s, exits with code 0 and sends the last report', async () => {
    // After the renewal the improved report waits for report.minIntervalSeconds; stopping must send it.
    simulator.edgeHub.patchDesired({
      policy: {
        report: { minIntervalSeconds: 3600 },
        // Without endpoints it needs no network, so it may run every second.
        checks: { certificateExpiry: { endpoints: [], schedule: '* * * * * *' } },
      },
    });
    await eventually(async () => {
      const { desired, reported } = simulator.edgeHub.twin();
      expect(reported.policy).toMatchObject({ av: desired.$version });
    });
    await writeCertificate(90);
    await eventually(async () => expect((await statuses()).certificateExpiry).toBe('0'));
    expect(twinChecks().certificateExpiry?.status).toBe('fail');
    const started = performance.now();
    await module.stop({ t: 10 });
    expect(performance.now() - started).toBeLessThan(5000);
    const { State } = await module.inspect();
    expect(State).toMatchObject({ ExitCode: 0, OOMKilled: false });
    expect(twinChecks().certificateExpiry?.status).toBe('pass');
  });

  test('a missing host folder prevents the start and is not created', async () => {
    const options = {
      image,
      deviceRoot: join(folder, 'empty'),
      simulator,
      gateway: engine.gateway,
      gatewayName,
    };
    await expect(engine.docker.createContainer(await moduleContainer(options))).rejects.toThrow(
      /bind source path does not exist/,
    );
  });
});

/** A policy that points every check at this machine and reports changes at once. */
const localPolicy = (gateway: string, hubPort: number) => ({
  confirmAfterSeconds: 0,
  jitterSeconds: 0,
  report: { minIntervalSeconds: 1 },
  checks: {
    clockDrift: { servers: [`${gateway}:9`], chrony: null },
    certificateExpiry: { endpoints: ['edgehub'] },
    diskSpace: { warnUsedPercent: 100, failUsedPercent: 100, minSizeGiB: 0 },
    outboundReachability: { targets: [`tcp://${gatewayName}:${hubPort}`] },
    outboundContainment: { targets: [`tcp://${gateway}:9`] },
    dnsResolution: { names: [gatewayName] },
  },
});

/** Runs one command in a new container; returns its output and exit code. */
async function runOnce(docker: Docker, command: string[]): Promise<{ output: string; exitCode: number }> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: command,
    Tty: true,
    HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true, CapDrop: ['ALL'] },
  });
  try {
    await container.start();
    const { StatusCode } = z.object({ StatusCode: z.number() }).parse(await container.wait());
    return { output: await output(container), exitCode: StatusCode };
  } finally {
    await container.remove({ force: true });
  }
}

const output = async (container: Docker.Container): Promise<string> =>
  (await container.logs({ stdout: true, stderr: true, follow: false })).toString('utf8');

const eventually = (assertion: () => Promise<void>): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 100 });
