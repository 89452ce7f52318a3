import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allOff } from '../fixtures/policies.ts';
import { refusedPort } from '../servers/tcp.ts';
import { tempFolder } from '../temp-folder.ts';
import { bundled, run } from './bundle.ts';
import { node } from './node.ts';

/** Runs the bundled CLI until it exits, on this machine as the host and with a temporary state folder. */
export async function cli(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const stateDir = environment.HARDENING_STATE_DIR ?? (await tempFolder());
  const { ended, out, err } = run([...node, bundled('cli'), ...args], {
    HARDENING_HOST_ROOT: '/',
    HARDENING_STATE_DIR: stateDir,
    ...environment,
  });
  return { code: await ended, out: out(), err: err() };
}

/** Writes a policy, as text or as an object, to a temporary file. */
export async function policyFile(policy: unknown): Promise<string> {
  const file = join(await tempFolder(), 'policy.json');
  await writeFile(file, typeof policy === 'string' ? policy : JSON.stringify(policy));
  return file;
}

const spacious = { paths: ['/'], warnUsedPercent: 100, failUsedPercent: 100, minSizeGiB: 0 };
const silent = async () => ({ servers: [`127.0.0.1:${await refusedPort()}`], chrony: null });
const unreachable = async () => ({ targets: [`tcp://127.0.0.1:${await refusedPort()}`] });

/** Check parameters that lead to each status on any machine. */
const paramsByStatus = {
  pass: async () => ({ diskSpace: spacious }),
  warn: async () => ({ diskSpace: { ...spacious, minSizeGiB: 1_048_576 } }),
  fail: async () => ({ outboundReachability: await unreachable() }),
  unknown: async () => ({ clockDrift: await silent() }),
};

/** A policy file that enables one check for each status, and with it leads to these statuses. */
export async function policyThatGives(
  ...statuses: readonly (keyof typeof paramsByStatus)[]
): Promise<string> {
  const parts = await Promise.all(statuses.map((status) => paramsByStatus[status]()));
  return policyFile({ note: 'of a test', checks: Object.assign({}, allOff, ...parts) });
}
