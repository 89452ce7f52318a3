import { checks } from '../checks/index.ts';
import { readConfig } from '../config.ts';
import { never, within } from '../deadline.ts';
import { describeError } from '../errors.ts';
import type { Host, Need } from '../host.ts';
import { openMachine } from './machine.ts';

// A path that hangs delays its own line alone.
const accessSeconds = 5;

/** `list`: every check with the access it needs, and whether this machine grants it. */
export async function list(policyFile: string | undefined): Promise<string> {
  const config = readConfig(process.env);
  const { host, inForce } = await openMachine(config, policyFile);
  const { policy } = inForce;
  const sections = checks.map(async ({ id, title, needs }) => {
    const params = policy.checks[id];
    const wanted = needs(params ?? {});
    const lines = wanted.map(async (need) => `    ${await accessTo(need, host)}\n`);
    const access = (await Promise.all(lines)).join('') || '    needs no access\n';
    const disabled = params?.enabled === false ? '    disabled by the policy; if enabled:\n' : '';
    return `${id}\n    ${title}\n    tier: ${tierOf(wanted)}\n${disabled}${access}`;
  });
  return (await Promise.all(sections)).join('');
}

/** What a check must be given, from the least to the most that it may mean for the device. */
const tiers = ['no mounts', 'read-only mounts', 'a device or the engine socket'] as const;

function tierOf(needs: readonly Need[]): string {
  const rank = (need: Need) =>
    need.kind === 'device' || (need.kind === 'socket' && need.socket === 'engine')
      ? 2
      : need.kind === 'path'
        ? 1
        : 0;
  return tiers[Math.max(0, ...needs.map(rank)) as 0 | 1 | 2];
}

async function accessTo(need: Need, host: Host): Promise<string> {
  // What the network lets through, only the check itself finds out.
  if (need.kind === 'network') return `needs the network: ${need.what}`;
  try {
    const granted = await within(accessSeconds, never, (signal) => host.grants(need, signal));
    return `${describe(need)}: ${granted ? 'given' : 'not given'}`;
  } catch (error) {
    return `${describe(need)}: ${describeError(error)}`;
  }
}

function describe(need: Exclude<Need, { kind: 'network' }>): string {
  switch (need.kind) {
    case 'path':
      return `needs to read ${need.path}`;
    case 'device':
      return `needs the device ${need.path}`;
    case 'socket':
      return `needs the ${need.socket} socket`;
    case 'http':
      return `needs ${need.url}`;
  }
}
