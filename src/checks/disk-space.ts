import { z } from 'zod';
import { CannotTell, defineCheck, type Filesystem, type Reading } from '../check.ts';
import { absolutePath } from './absolute-path.ts';

const params = z
  .strictObject({
    paths: z
      .array(absolutePath)
      .max(32)
      .default(['/var/lib'])
      .describe('Folders whose filesystems are measured.'),
    warnUsedPercent: z.number().min(0).max(100).default(75).describe('Of bytes and of inodes, as df counts.'),
    failUsedPercent: z.number().min(0).max(100).default(90),
    minSizeGiB: z.number().min(0).max(1_048_576).default(16).describe('0 switches this off.'),
  })
  .refine(({ warnUsedPercent, failUsedPercent }) => warnUsedPercent <= failUsedPercent, {
    path: ['warnUsedPercent'],
    error: 'is above failUsedPercent, so it would never warn',
  });

type Params = z.infer<typeof params>;

/** Something wrong with a filesystem. `clause` is its part of the message. */
interface Problem {
  readonly status: 'warn' | 'fail';
  readonly reason: 'space_low' | 'inodes_low' | 'read_only' | 'too_small';
  readonly clause: string;
  readonly remedy: string;
}

const mib = 1_048_576;
const gib = 1024 * mib;

/** Measures bytes, inodes, size and writability of the filesystem of each path. */
export const diskSpace = defineCheck({
  id: 'diskSpace',
  title: 'Every filesystem is writable, large enough and has space left',
  params,
  reasons: ['space_low', 'inodes_low', 'read_only', 'too_small'],
  gauges: {
    filesystem_size_bytes: { help: 'Size of the filesystem.', labels: ['target'] },
    filesystem_available_bytes: { help: 'Space for those who are not root.', labels: ['target'] },
    filesystem_files: { help: 'Inodes of the filesystem.', labels: ['target'] },
    filesystem_files_free: { help: 'Inodes that are free.', labels: ['target'] },
    filesystem_readonly: { help: '1 where the filesystem cannot be written to.', labels: ['target'] },
  },

  // The agent's own state folder lies on the filesystem of /var/lib, so that one needs no access.
  needs: ({ paths }) =>
    paths.filter((path) => path !== '/var/lib').map((path) => ({ kind: 'path', path }) as const),

  subjects: ({ paths }) => [...new Set(paths)].map((target) => ({ target })),

  async examine({ target }, limits, host, signal) {
    const filesystem = await host.filesystem(target, signal);
    if (filesystem.usedBytes + filesystem.availableBytes === 0) {
      throw new CannotTell('not_applicable', `The filesystem at ${target} keeps nothing on a disk`);
    }
    const usage = describeUsage(target, filesystem);
    const problems = problemsOf(target, filesystem, usage, limits);
    // What is merely a warning comes last; the rest keeps its order.
    const worst = problems.find(({ status }) => status === 'fail') ?? problems[0];
    const clauses = new Set([worst, ...problems].flatMap((problem) => problem?.clause ?? []));
    const elsewhere =
      filesystem.measured === target ? '' : `, measured on the agent's state volume ${filesystem.measured}`;
    // How full it is belongs to every message.
    const message = `${capitalize([...clauses.add(usage)].join('; '))}${elsewhere}`;
    const readings = readingsOf(filesystem);
    if (!worst) return { status: 'pass', message, readings };
    return { status: worst.status, reason: worst.reason, message, remedy: worst.remedy, readings };
  },
});

function problemsOf(target: string, filesystem: Filesystem, usage: string, limits: Params): Problem[] {
  const { usedBytes, availableBytes, sizeBytes, files, filesFree, readOnly } = filesystem;
  const problems: Problem[] = [];
  if (readOnly) {
    problems.push({
      status: 'fail',
      reason: 'read_only',
      clause: `the filesystem at ${target} is read-only`,
      remedy: "See why: sudo dmesg | grep -iE 'remount|i/o error'. Restart the VM, which checks the disk.",
    });
  }
  const space = grade(percent(usedBytes, availableBytes), limits);
  if (space) {
    problems.push({
      status: space,
      reason: 'space_low',
      clause: usage,
      remedy: `See what fills it: sudo du -xh --max-depth=2 ${target} | sort -h | tail. Images that nothing uses go with: sudo docker image prune --all`,
    });
  }
  const inodes = files > 0 ? grade(percent(files - filesFree, filesFree), limits) : undefined;
  if (inodes) {
    problems.push({
      status: inodes,
      reason: 'inodes_low',
      clause: `used ${percent(files - filesFree, filesFree).toFixed(1)} % of ${files} inodes at ${target}`,
      remedy: `See where so many files are: sudo du -x --inodes --max-depth=2 ${target} | sort -n | tail`,
    });
  }
  if (sizeBytes < limits.minSizeGiB * gib) {
    problems.push({
      status: 'warn',
      reason: 'too_small',
      clause: `the filesystem at ${target} has ${size(sizeBytes)}, less than ${limits.minSizeGiB} GiB`,
      remedy: 'Give the VM a larger disk (EFLOW: Deploy-Eflow -vmDataSize), or lower minSizeGiB.',
    });
  }
  return problems;
}

/** As df has it: what root keeps in reserve counts neither as used nor as available. */
const percent = (used: number, available: number): number => (100 * used) / (used + available);

function grade(
  usedPercent: number,
  { warnUsedPercent, failUsedPercent }: Params,
): 'warn' | 'fail' | undefined {
  if (usedPercent >= failUsedPercent) return 'fail';
  return usedPercent >= warnUsedPercent ? 'warn' : undefined;
}

function describeUsage(target: string, { usedBytes, availableBytes, sizeBytes }: Filesystem): string {
  const used = percent(usedBytes, availableBytes).toFixed(1);
  return `used ${used} % of ${size(sizeBytes)} at ${target} (${size(availableBytes)} free)`;
}

function readingsOf({ sizeBytes, availableBytes, files, filesFree, readOnly }: Filesystem): Reading[] {
  const readings = [
    { gauge: 'filesystem_size_bytes', value: sizeBytes },
    { gauge: 'filesystem_available_bytes', value: availableBytes },
    { gauge: 'filesystem_readonly', value: readOnly ? 1 : 0 },
  ];
  if (files === 0) return readings;
  const counted = [
    { gauge: 'filesystem_files', value: files },
    { gauge: 'filesystem_files_free', value: filesFree },
  ];
  return [...readings, ...counted];
}

const size = (bytes: number): string =>
  bytes < gib ? `${(bytes / mib).toFixed(1)} MiB` : `${(bytes / gib).toFixed(1)} GiB`;

const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
