import { allOff } from '../support/policies.ts';

export interface Places {
  readonly time: number;
  readonly certificate: string;
  readonly hub: number;
  readonly tcp: number;
}

/** What the cloud may ask for. Each is a whole policy, so that a merge of one into another is that one. */
export function policies({ time, certificate, hub, tcp }: Places) {
  const good = (note: string, maxFindings: number) => ({
    note,
    schedule: '*/2 * * * * *',
    jitterSeconds: 0,
    timeoutSeconds: 5,
    confirmAfterSeconds: maxFindings % 2,
    report: { minIntervalSeconds: 1, maxFindings },
    checks: {
      ...allOff,
      stateFolder: { enabled: true },
      clockDrift: { enabled: true, servers: [`127.0.0.1:${time}`], chrony: `127.0.0.1:${tcp}` },
      certificateExpiry: {
        enabled: true,
        files: [certificate, '/nowhere/$a.b #c "d" ü\u{1F4BE}'],
        endpoints: ['edgehub'],
      },
      diskSpace: {
        enabled: true,
        paths: ['/'],
        warnUsedPercent: maxFindings % 3 === 0 ? 0 : 100,
        failUsedPercent: 100,
        minSizeGiB: 0,
      },
      outboundReachability: {
        enabled: true,
        targets: [`tls://localhost:${hub}`, `tcp://127.0.0.1:${tcp}`],
      },
    },
  });
  return {
    good,
    /** Patches of the desired properties. */
    patches: {
      good: (note: string, maxFindings: number) => ({
        policy: { ...good(note, maxFindings), nonsense: null },
      }),
      bad: (note: string, maxFindings: number) => ({
        policy: { ...good(note, maxFindings), nonsense: 'x' },
      }),
      removed: () => ({ policy: null }),
    },
  };
}
