/**
 * What the agent may cost, on Node.js 24 with the flags of the image. `npm run bench` prints the first group beside what it
 * measures; the second does not depend on the machine's load and is checked by `npm test`.
 */
export const budgets = {
  bench: {
    /** The process tree of the module after 1,000 runs and 1,000 scrapes. */
    memoryMib: 75,
    /** Growth of that memory after run 200. */
    slopeKibPerRun: 2,
    /** One run of the default policy. */
    runCpuMs: 25,
    /** An hour at the default schedule. */
    hourCpuSeconds: 0.8,
    wakeUpsPerMinute: 20,
    startSeconds: 0.4,
    firstReportSeconds: 0.4,
    /** Against node_exporter. */
    scrapeP99Ratio: 0.05,
    /** Against blackbox_exporter. */
    tlsTargetsCpuRatio: 1.25,
    /** What the image adds to Node.js's. */
    imageMb: 2,
    /** The cost of each subject among many against that among ten. */
    growthRatio: 1,
  },
  test: {
    /** JavaScript of the image, in bytes: all of it, and what the agent reads at its start. */
    imageBytes: 1_350_000,
    startBytes: 1_250_000,
    /** Live heap of an idle module after a collection. */
    heapMib: 17,
    wakeUpsPerMinute: 20,
    /** On local filesystems. */
    childProcesses: 0,
    /** Patches of reported properties in an hour without events. */
    patchesInQuietHour: 1,
  },
} as const;
