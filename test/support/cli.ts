import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checks } from '../../src/checks/index.ts';
import { bundled, run } from './bundle.ts';
import { node } from './node.ts';
import { refusedPort } from './servers.ts';
import { tempFolder } from './temp-folder.ts';

/** Runs the bundled CLI to its end, with the machine itself as its host and a folder of its own to remember in. */
export async function cli(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const state = environment.HARDENING_STATE_DIR ?? (await tempFolder());
  const { ended, out, err } = run([...node, bundled('cli'), ...args], {
    HARDENING_HOST_ROOT: '/',
    HARDENING_STATE_DIR: state,
    ...environment,
  });
  return { code: await ended, out: out(), err: err() };
}

export async function policyFile(policy: unknown): Promise<string> {
  const file = join(await tempFolder(), 'policy.json');
  await writeFile(file, typeof policy === 'string' ? policy : JSON.stringify(policy));
  return file;
}

const off = { enabled: false };
const spacious = { paths: ['/'], warnUsedPercent: 100, failUsedPercent: 100, minSizeGiB: 0 };
const silent = async () => ({ servers: [`127.0.0.1:${await refusedPort()}`], chrony: null });
const unreachable = async () => ({ targets: [`tcp://127.0.0.1:${await refusedPort()}`] });

/** What each verdict takes, of things that really exist. */
const verdicts = {
  pass: async () => ({ diskSpace: spacious }),
  warn: async () => ({ diskSpace: { ...spacious, minSizeGiB: 1_048_576 } }),
  fail: async () => ({ outboundReachability: await unreachable() }),
  unknown: async () => ({ clockDrift: await silent() }),
};

export async function policyThatGives(...wanted: readonly (keyof typeof verdicts)[]): Promise<string> {
  const parts = await Promise.all(wanted.map((each) => verdicts[each]()));
  const none = Object.fromEntries(checks.map(({ id }) => [id, off]));
  return policyFile({ note: 'of a test', checks: Object.assign(none, ...parts) });
}
