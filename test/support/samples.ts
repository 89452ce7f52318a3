import { readdir } from 'node:fs/promises';
import type { DemonstrationWorld } from '../../demo/world.ts';
import type { Status } from '../../src/check.ts';
import type { Host } from '../../src/host.ts';

/**
 * Host data for one check, on a healthy and on a faulty device. Its file is `<check>.sample.ts` next to the check's
 * test. The contract tests, the series limit and the demonstration use it.
 */
export interface Sample {
  /** The check's id. */
  readonly check: string;
  /** A typical device with ten modules, on which every host method returns all data and every finding passes. */
  readonly good: SampleDevice;
  /** A device on which the worst finding has this status and reason. */
  readonly bad: SampleDevice & { readonly status: 'warn' | 'fail'; readonly reason: string };
  /** The check's part of the demonstration's policy. Without it the defaults apply. */
  readonly demonstration?: {
    policy(world: DemonstrationWorld): object;
    /** The check's status in the demonstration; absent if it depends on the machine. */
    readonly status?: Status;
  };
}

interface SampleDevice {
  readonly host: Partial<Host>;
  /** The check's parameters. Without them the defaults apply. */
  readonly policy?: object;
}

/** The current time for every sample. */
export const sampleNow = new Date('2026-11-21T20:30:00Z');

/** The device names for every sample. */
export const sampleNames = {
  iothub: 'example.azure-devices.net',
  gateway: 'line-4-gateway',
  device: 'line-4-gateway',
};

/** Every sample below test/checks, by check id. */
export async function findSamples(): Promise<ReadonlyMap<string, Sample>> {
  const folder = new URL('../checks/', import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.sample.ts'));
  const modules: { sample: Sample }[] = await Promise.all(
    files.map((file) => import(new URL(file, folder).href)),
  );
  return new Map(modules.map(({ sample }) => [sample.check, sample]));
}
