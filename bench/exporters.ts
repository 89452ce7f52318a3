import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { find } from '../test/support/programs/installed.ts';
import { get } from './http.ts';
import { freePort, type Program, start } from './program.ts';
import type { World } from './world.ts';

/** What the agent stands beside, where this machine has it. */
export interface Found {
  readonly node?: string;
  readonly blackbox?: string;
  readonly openssl?: string;
  /** What this machine does not have: the Debian packages. */
  readonly missing: readonly string[];
}

export function findPrograms(): Found {
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

/** node_exporter with the collectors it has by default. */
export async function startNodeExporter(world: World, file: string): Promise<Program> {
  const port = await freePort();
  const command = [file, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'] as const;
  return start([...command], {}, { port, path: '/metrics', defer: world.defer });
}

/** blackbox_exporter with one module, `tls`: connect, handshake, verify. */
export async function startBlackbox(world: World, file: string): Promise<Program> {
  const tcp = { preferred_ip_protocol: 'ip4', tls: true, tls_config: { ca_file: world.authorityFile } };
  const config = join(world.folder, 'blackbox.yml');
  // YAML takes JSON.
  await writeFile(config, JSON.stringify({ modules: { tls: { prober: 'tcp', timeout: '5s', tcp } } }));
  const port = await freePort();
  const flags = [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'];
  return start([file, ...flags], {}, { port, path: '/-/healthy', defer: world.defer });
}

/** Has blackbox_exporter probe a target. Throws when it could not be reached: failures are not what is measured. */
export async function probe({ url }: Program, target: string): Promise<void> {
  const { body } = await get(`${url}/probe?module=tls&target=${target}`);
  if (!/^probe_success 1$/m.test(body)) throw new Error(`blackbox_exporter did not reach ${target}`);
}

/** Starts those there are, at once. */
export function startExporters(world: World, { node, blackbox }: Found): Promise<Program[]> {
  return Promise.all([
    ...(node ? [startNodeExporter(world, node)] : []),
    ...(blackbox ? [startBlackbox(world, blackbox)] : []),
  ]);
}

export const namesOf = ({ node, blackbox }: Found): string =>
  [node ? 'node_exporter' : [], blackbox ? 'blackbox_exporter' : []].flat().join(' + ');
