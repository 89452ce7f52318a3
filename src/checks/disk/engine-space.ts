import { within } from '../../deadline.ts';
import type { DiskHost, EngineUsage, Filesystem } from '../../host/disk/types.ts';
import { shellQuote } from '../../shell-quote.ts';
import { size } from './format.ts';

/** What the container engine stores on a filesystem, for a message and its remedy. */
export interface EngineWords {
  readonly clause: string;
  readonly remedy: string;
}

// A later answer is used by the next run.
const engineSeconds = 3;

/** Asks the engine. Undefined when it does not answer in time, or stores its data on another filesystem. */
export async function engineSpace(
  target: string,
  filesystem: Filesystem,
  host: DiskHost,
  signal: AbortSignal,
): Promise<EngineWords | undefined> {
  try {
    return await within(engineSeconds, signal, async (deadline) => {
      const usage = await host.engineUsage(deadline);
      return usage && (await isOn(usage.folder, target, filesystem, host, deadline))
        ? words(usage)
        : undefined;
    });
  } catch {
    // It only adds to a finding.
    return undefined;
  }
}

/** By the kernel's number for the filesystem, or by path where the engine's folder cannot be measured. */
async function isOn(
  folder: string,
  target: string,
  { device }: Filesystem,
  host: DiskHost,
  signal: AbortSignal,
) {
  try {
    const its = await host.filesystem(folder, signal);
    if (its.device !== undefined && device !== undefined) return its.device === device;
  } catch {
    signal.throwIfAborted();
  }
  return isBelow(folder, target);
}

/** The remedy where the engine has not answered but may store its data: Docker's default folder. */
export const askEngine = (target: string): string | undefined =>
  isBelow('/var/lib/docker', target)
    ? 'See what the container engine stores: `sudo docker system df --verbose`'
    : undefined;

const isBelow = (folder: string, target: string): boolean =>
  `${folder}/`.startsWith(target.endsWith('/') ? target : `${target}/`);

const kinds = [
  [
    'images',
    'images',
    'Remove unused images: `sudo docker image prune --all` (a module that needs one later must be able to download it)',
  ],
  [
    'volumes',
    'volumes',
    'List unused volumes, and remove those without data: `sudo docker volume ls --filter dangling=true`',
  ],
  ['containers', 'containers', 'Remove stopped containers: `sudo docker container prune`'],
  ['buildCache', 'build cache', 'Empty the build cache: `sudo docker builder prune`'],
] as const;

function words(usage: EngineUsage): EngineWords {
  const spaces = kinds.map(([key, name, remedy]) => ({ ...usage[key], name, remedy }));
  const kept = spaces.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes);
  const all = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  const each = kept.map(
    ({ name, bytes, unusedBytes }) =>
      `${name} ${size(bytes)}${unusedBytes > 0 ? ` (${size(unusedBytes)} unused)` : ''}`,
  );
  const [most] = spaces.toSorted((a, b) => b.unusedBytes - a.unusedBytes);
  // Less than a tenth of the total is not worth a clean-up.
  const worthwhile = most && most.unusedBytes > all / 10;
  const listing = `du -h ${shellQuote(usage.folder)}/containers/*/*.log | sort -h | tail`;
  const logs = `\`sudo sh -c ${shellQuote(listing)}\``;
  return {
    clause: `the container engine stores ${size(all)}${kept.length > 0 ? `: ${each.join(', ')}` : ''}, and logs`,
    remedy: `${worthwhile ? most.remedy : 'Find what is large: `sudo docker system df --verbose`'}. List the logs, which the engine does not count: ${logs}`,
  };
}
