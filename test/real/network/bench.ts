import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { DeviceRun } from './device.ts';
import { firewall, nameServers, proxies, routes } from './fittings.ts';
import { createNamespaces, type Namespaces, world4 } from './namespaces.ts';
import { dns, hub, ports } from './places.ts';
import { worldServers } from './servers.ts';

/** A device with a world around it. */
export interface Bench {
  /** One run of a check on the device, through `https_proxy` where given. */
  run(check: string, params: object, httpsProxy?: string): Promise<DeviceRun>;
  /** The result of blackbox_exporter on the device for each target: `1` for success. */
  blackbox(targets: readonly string[]): Promise<(string | undefined)[]>;
  remove(): Promise<void>;
}

export async function createBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'hardening-network-'));
  // Below the packages that the bundles leave out.
  const bundles = fileURLToPath(
    new URL(`../../../node_modules/.network-test-${process.pid}/`, import.meta.url),
  );
  mkdirSync(bundles);
  const network = createNamespaces(Object.values(dns), dns.right);

  const run = async (check: string, params: object, httpsProxy = ''): Promise<DeviceRun> => {
    const args = [check, JSON.stringify(params), join(folder, 'root.pem'), httpsProxy];
    return JSON.parse(await network.onDevice([process.execPath, join(bundles, 'device.mjs'), ...args]));
  };
  const remove = async () => {
    await network.remove();
    rmSync(bundles, { recursive: true });
    rmSync(folder, { recursive: true });
  };

  try {
    await bundle(bundles);
    firewall(network);
    await routes(network);
    nameServers(network);
    proxies(network, folder);
    const { servers, authority } = await worldServers();
    writeFileSync(join(folder, 'root.pem'), authority);
    writeFileSync(join(folder, 'servers.json'), JSON.stringify(servers));
    network.start('world', [process.execPath, join(bundles, 'world.mjs'), join(folder, 'servers.json')]);
    startExporter(network, folder);
    const proxyPorts = [ports.proxy, ports.closedProxy].map((port) => `tcp://${world4}:${port}`);
    await allReached(run, [`https://${hub}/ok`, 'tcp://127.0.0.1:9115', ...proxyPorts]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { run, blackbox: (targets) => askExporter(network, targets), remove };
}

const bundle = (folder: string) =>
  build({
    entryPoints: ['world', 'device'].map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    packages: 'external',
    target: 'node20',
    format: 'esm',
  });

function startExporter(network: Namespaces, folder: string) {
  const tls = { ca_file: join(folder, 'root.pem') };
  const tcp = { preferred_ip_protocol: 'ip4' };
  const config = {
    modules: {
      tcp: { prober: 'tcp', timeout: '3s', tcp },
      tls: { prober: 'tcp', timeout: '3s', tcp: { ...tcp, tls: true, tls_config: tls } },
      https: {
        prober: 'http',
        timeout: '3s',
        http: {
          ...tcp,
          valid_status_codes: [200, 302, 401],
          follow_redirects: false,
          tls_config: tls,
        },
      },
    },
  };
  // YAML takes JSON.
  writeFileSync(join(folder, 'blackbox.yml'), JSON.stringify(config));
  network.start('device', [
    'prometheus-blackbox-exporter',
    `--config.file=${join(folder, 'blackbox.yml')}`,
    '--web.listen-address=127.0.0.1:9115',
    '--log.level=error',
  ]);
}

async function askExporter(network: Namespaces, targets: readonly string[]) {
  const asked = targets.map((target) => {
    const [scheme = '', address = ''] = target.split('://');
    const query = new URLSearchParams({ module: scheme, target: scheme === 'https' ? target : address });
    return `http://127.0.0.1:9115/probe?${query}`;
  });
  const fetchAll =
    'Promise.all(process.argv.slice(1).map(async (url) => (await fetch(url)).text())).then((all) => console.log(JSON.stringify(all)))';
  const pages: string[] = JSON.parse(
    await network.onDevice([process.execPath, '--no-warnings', '-e', fetchAll, ...asked]),
  );
  return pages.map((page) => /^probe_success (\d)$/m.exec(page)?.[1]);
}

async function allReached(run: Bench['run'], targets: readonly string[]) {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const { findings } = await run('outboundReachability', { targets });
    const missing = findings.filter(({ status }) => status !== 'pass');
    if (missing.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`The world has not come up: ${JSON.stringify(missing)}`);
    await setTimeout(100);
  }
}
