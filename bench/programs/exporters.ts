import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { find } from '../../test/support/programs/installed.ts';
import type { Testbed } from '../testbed.ts';
import { send } from './http.ts';
import { freePort, type Program, start } from './program.ts';

/** The paths of the installed baseline programs. */
export interface Installed {
  readonly node?: string;
  readonly blackbox?: string;
  readonly openssl?: string;
  /** The Debian packages of those that are not installed. */
  readonly missing: readonly string[];
}

export function findInstalled(): Installed {
  const node = find('prometheus-node-exporter');
  const blackbox = find('prometheus-blackbox-exporter');
  const openssl = find('openssl');
  return {
    ...(node ? { node } : {}),
    ...(blackbox ? { blackbox } : {}),
    ...(openssl ? { openssl } : {}),
    missing: [
      node ? [] : 'prometheus-node-exporter',
      blackbox ? [] : 'prometheus-blackbox-exporter',
      openssl ? [] : 'openssl',
    ].flat(),
  };
}

/** Starts node_exporter with its default collectors. */
export async function startNodeExporter(testbed: Testbed, file: string): Promise<Program> {
  const port = await freePort();
  const command = [file, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'] as const;
  return start([...command], {}, { port, path: '/metrics', defer: testbed.defer });
}

/** Starts blackbox_exporter with one module, `tls`: connect, handshake, verify. */
export async function startBlackbox(testbed: Testbed, file: string): Promise<Program> {
  const tcp = { preferred_ip_protocol: 'ip4', tls: true, tls_config: { ca_file: testbed.authorityFile } };
  const config = join(testbed.folder, 'blackbox.yml');
  // JSON is valid YAML.
  await writeFile(config, JSON.stringify({ modules: { tls: { prober: 'tcp', timeout: '5s', tcp } } }));
  const port = await freePort();
  const flags = [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'];
  return start([file, ...flags], {}, { port, path: '/-/healthy', defer: testbed.defer });
}

/** Makes blackbox_exporter probe a target. Rejects when the probe fails, because only successful probes are measured. */
export async function probe({ url }: Program, target: string): Promise<void> {
  const { body } = await send(`${url}/probe?module=tls&target=${target}`);
  if (!/^probe_success 1$/m.test(body)) throw new Error(`blackbox_exporter did not reach ${target}`);
}

/** Starts the installed exporters in parallel. */
export function startExporters(testbed: Testbed, { node, blackbox }: Installed): Promise<Program[]> {
  return Promise.all([
    ...(node ? [startNodeExporter(testbed, node)] : []),
    ...(blackbox ? [startBlackbox(testbed, blackbox)] : []),
  ]);
}

export const exporterNames = ({ node, blackbox }: Installed): string =>
  [node ? 'node_exporter' : [], blackbox ? 'blackbox_exporter' : []].flat().join(' + ');
