import { readdir } from 'node:fs/promises';
import type { DemonstrationWorld } from '../../demo/world.ts';
import type { Status } from '../../src/check.ts';
import type { Host } from '../../src/host.ts';

/**
 * What a host gives a check, on a device where all is well and on one where something is wrong. It stands beside the
 * check's test as `<check>.sample.ts`; the contract, the number of series and the demonstration follow from it.
 */
export interface Sample {
  /** The check's id. */
  readonly check: string;
  /** An ordinary device with ten modules, on which every look-up brings all it can and everything passes. */
  readonly good: Given;
  /** A device on which the worst finding has this status and reason. */
  readonly bad: Given & { readonly status: 'warn' | 'fail'; readonly reason: string };
  /** The check's part of the demonstration's policy; without one, its defaults. */
  readonly demonstration?: {
    policy(world: DemonstrationWorld): object;
    /** What the check reports there; absent where that depends on the machine. */
    readonly status?: Status;
  };
}

interface Given {
  readonly host: Partial<Host>;
  /** The check's own parameters; its defaults without. */
  readonly policy?: object;
}

/** The moment at which every sample is examined. */
export const sampleNow = new Date('2026-11-21T20:30:00Z');

/** The names of a sample's device. */
export const sampleNames = {
  iothub: 'example.azure-devices.net',
  gateway: 'line-4-gateway',
  device: 'line-4-gateway',
};

/** Every sample beside a check's test, by check id. */
export async function findSamples(): Promise<ReadonlyMap<string, Sample>> {
  const folder = new URL('../checks/', import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.sample.ts'));
  const modules: { sample: Sample }[] = await Promise.all(
    files.map((file) => import(new URL(file, folder).href)),
  );
  return new Map(modules.map(({ sample }) => [sample.check, sample]));
}
