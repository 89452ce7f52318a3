import * as z from 'zod';
import { CannotTell } from '../../check.ts';
import type { Files } from '../files/files.ts';
import type { DaemonFile } from './types.ts';

const path = '/etc/docker/daemon.json';

/** Everything that is not named here is dropped. */
const file = z.object({
  'log-driver': z.string().max(256).optional(),
  'log-opts': z.object({ 'max-size': z.string().max(256).optional() }).optional(),
  hosts: z.array(z.string().max(1024)).max(256).default([]),
  tlsverify: z.boolean().default(false),
});

/**
 * Reads the VM's daemon.json; empty where it does not exist, undefined where it was not given.
 *
 * @throws CannotTell `unreadable` for one that is not JSON, which dockerd would refuse too.
 */
export async function readDaemonFile(
  files: Pick<Files, 'read'>,
  signal: AbortSignal,
): Promise<DaemonFile | undefined> {
  let text: string;
  try {
    text = (await files.read(path, signal)).toString();
  } catch (error) {
    const { reason } = error instanceof CannotTell ? error : {};
    if (reason === 'no_access') return undefined;
    if (reason === 'not_found') return { tcpHosts: [], tlsVerify: false };
    throw error;
  }
  const parsed = parse(text);
  if (!parsed) throw new CannotTell('unreadable', `${path} is not a configuration that dockerd accepts`);
  const { 'log-driver': logDriver, 'log-opts': options, hosts, tlsverify } = parsed;
  return {
    ...(logDriver === undefined ? {} : { logDriver }),
    ...(options?.['max-size'] === undefined ? {} : { maxSize: options['max-size'] }),
    tcpHosts: hosts.filter((host) => host.startsWith('tcp://')),
    tlsVerify: tlsverify,
  };
}

function parse(text: string): z.output<typeof file> | undefined {
  try {
    return file.parse(JSON.parse(text));
  } catch {
    // Without the error, which may quote the file.
    return undefined;
  }
}
