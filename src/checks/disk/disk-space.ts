import * as z from 'zod';
import { CannotTell, defineCheck, type Reading } from '../../check.ts';
import { within } from '../../deadline.ts';
import type { DiskHost, Filesystem } from '../../host/disk/types.ts';
import { absolutePath } from '../params/absolute-path.ts';
import { warnsFirst } from '../params/thresholds.ts';
import { askEngine, engineSpace } from './engine-space.ts';
import { type Forecast, forecastFull } from './forecast.ts';
import { describeUsage } from './format.ts';
import { type DiskProblem, describeForecast, diskProblems } from './problems.ts';

const days = z.number().min(0).max(3650);

const [isOrdered, problem] = warnsFirst('forecastWarnDays', 'below', 'forecastFailDays');

const params = z
  .strictObject({
    paths: z
      .array(absolutePath)
      .max(32)
      .default(['/var/lib'])
      .describe('Paths whose filesystems are measured.'),
    warnUsedPercent: z
      .number()
      .min(0)
      .max(100)
      .default(75)
      .describe('Warns when this much is used, of bytes or of inodes, as df counts them.'),
    failUsedPercent: z.number().min(0).max(100).default(90).describe('Fails when this much is used.'),
    minSizeGiB: z
      .number()
      .min(0)
      .max(1_048_576)
      .default(16)
      .describe('Warns about a smaller filesystem; 0 switches this off.'),
    forecastWarnDays: days
      .default(30)
      .describe('Warns when it will be full within so many days; 0 switches the forecast off.'),
    forecastFailDays: days.default(3).describe('Fails when it will be full within so many days.'),
  })
  .refine(...warnsFirst('warnUsedPercent', 'above', 'failUsedPercent'))
  .refine((days) => days.forecastWarnDays === 0 || isOrdered(days), problem);

const gauges = {
  filesystem_size_bytes: { help: 'Size of the filesystem.', labels: ['target'] },
  filesystem_available_bytes: { help: 'Space available to users other than root.', labels: ['target'] },
  filesystem_files: { help: 'Inodes of the filesystem.', labels: ['target'] },
  filesystem_files_free: { help: 'Inodes that are free.', labels: ['target'] },
  filesystem_readonly: { help: '1 where the filesystem cannot be written to.', labels: ['target'] },
  filesystem_full_timestamp_seconds: {
    help: 'When the filesystem will be full; absent without a significant upward trend.',
    labels: ['target'],
  },
};
type GaugeName = keyof typeof gauges;

/** Read-only images, full by design. */
const imageTypes: readonly string[] = ['squashfs', 'erofs', 'cramfs', 'romfs', 'iso9660', 'udf'];

// All paths are measured together. One that takes this much longer than another is not waited for.
const graceSeconds = 1;

/** A path, with those that precede it in the policy. */
interface Folder {
  readonly target: string;
  readonly before: readonly string[];
}

/** Measures space, inodes, size and writability of the filesystem of each path, and forecasts when it will be full. */
export const diskSpace = defineCheck({
  id: 'diskSpace',
  title: 'Every filesystem is writable, large enough and has free space',
  params,
  uses: ['filesystem', 'engineUsage', 'memory'],
  reasons: ['space_low', 'inodes_low', 'read_only', 'filling_up', 'too_small', 'io_error', 'mount_stuck'],
  gauges,

  // The agent's state folder is on the filesystem of /var/lib, so that path needs no access.
  needs: ({ paths }) =>
    paths.filter((path) => path !== '/var/lib').map((path) => ({ kind: 'path', path }) as const),

  subjects: ({ paths }): readonly Folder[] =>
    [...new Set(paths)].map((target, i, all) => ({ target, before: all.slice(0, i) })),

  async examine({ target, before }: Folder, limits, host, signal) {
    const filesystem = await host.filesystem(target, signal);
    const { usedBytes, availableBytes, type = '' } = filesystem;
    if (usedBytes + availableBytes === 0) {
      throw new CannotTell('not_applicable', `The filesystem at ${target} has no storage of its own`);
    }
    if (imageTypes.includes(type)) {
      throw new CannotTell(
        'not_applicable',
        `The filesystem at ${target} is a read-only image (${type}), full by design`,
      );
    }
    const first = await alreadyReported(filesystem, before, host, signal);
    if (first !== undefined) {
      throw new CannotTell(
        'not_applicable',
        `${target} is on the same filesystem as ${first} and reported there`,
      );
    }

    const now = host.now();
    const seen = host.memory.record(`filesystem_used_bytes ${target}`, usedBytes);
    const forecast = forecastFull(seen, usedBytes + availableBytes, now.getTime() / 1000);
    const problems = diskProblems(target, filesystem, forecast, limits, now);
    // Failures come before warnings; otherwise the order stays.
    const worst = problems.find(({ status }) => status === 'fail') ?? problems[0];
    const short = worst?.reason === 'space_low' || worst?.reason === 'filling_up';
    const engine = short ? await engineSpace(target, filesystem, host, signal) : undefined;
    const removable = short ? (engine?.remedy ?? askEngine(target)) : undefined;

    const ahead = forecast ? [describeForecast(forecast, now)] : [];
    const clauses = [...clausesOf(worst, problems), describeUsage(target, filesystem), ...ahead];
    const message = sentence([...clauses, ...(engine ? [engine.clause] : [])], target, filesystem);
    const readings = readingsOf(filesystem, forecast);
    if (!worst) return { status: 'pass', message, readings };
    const remedy = removable ? `${worst.remedy}. ${removable}` : worst.remedy;
    const also = problems
      .filter((problem) => problem !== worst)
      .map((other) => ({ status: other.status, reason: other.reason, message, remedy: other.remedy }));
    return { status: worst.status, reason: worst.reason, message, remedy, also, readings };
  },
});

/** The first of some paths on the same filesystem. A quota counts as another filesystem. */
async function alreadyReported(
  { device, sizeBytes }: Filesystem,
  paths: readonly string[],
  host: Pick<DiskHost, 'filesystem'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (device === undefined) return undefined;
  const measurements = paths.map(async (path) => {
    const other = await within(graceSeconds, signal, (deadline) => host.filesystem(path, deadline));
    return other.device === device && other.sizeBytes === sizeBytes;
  });
  const same = await Promise.allSettled(measurements);
  return paths.find((_, i) => {
    const outcome = same[i];
    return outcome?.status === 'fulfilled' && outcome.value;
  });
}

const clausesOf = (worst: DiskProblem | undefined, problems: readonly DiskProblem[]): string[] =>
  [worst, ...problems].flatMap((problem) => problem?.clause ?? []);

/** Each clause once. Every message includes how full it is. */
function sentence(clauses: readonly string[], target: string, { measured }: Filesystem): string {
  const text = [...new Set(clauses)].join('; ');
  const elsewhere = measured === target ? '' : `, measured on the agent's state volume ${measured}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${elsewhere}`;
}

function readingsOf(
  { sizeBytes, availableBytes, files, filesFree, readOnly }: Filesystem,
  forecast: Forecast | undefined,
): Reading<GaugeName>[] {
  const always: Reading<GaugeName>[] = [
    { gauge: 'filesystem_size_bytes', value: sizeBytes },
    { gauge: 'filesystem_available_bytes', value: availableBytes },
    { gauge: 'filesystem_readonly', value: readOnly ? 1 : 0 },
  ];
  const inodes: Reading<GaugeName>[] = [
    { gauge: 'filesystem_files', value: files },
    { gauge: 'filesystem_files_free', value: filesFree },
  ];
  const full: Reading<GaugeName>[] = forecast
    ? [{ gauge: 'filesystem_full_timestamp_seconds', value: Math.round(forecast.fullAt) }]
    : [];
  return [...always, ...(files === 0 ? [] : inodes), ...full];
}
