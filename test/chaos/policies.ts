import { allOff } from '../support/fixtures/policies.ts';

export interface Targets {
  /** Port of a time server. */
  readonly time: number;
  /** Path of a certificate. */
  readonly certificate: string;
  /** Port of edgeHub. */
  readonly hub: number;
  /** A port that opens and closes during the test. */
  readonly tcp: number;
}

/** Policies to set in the twin. Each is complete, so that merging it over another one replaces that. */
export function policies({ time, certificate, hub, tcp }: Targets) {
  const valid = (note: string, maxFindings: number) => ({
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
    valid,
    /** Patches of the desired properties. */
    patches: {
      valid: (note: string, maxFindings: number) => ({
        policy: { ...valid(note, maxFindings), nonsense: null },
      }),
      invalid: (note: string, maxFindings: number) => ({
        policy: { ...valid(note, maxFindings), nonsense: 'x' },
      }),
      removed: () => ({ policy: null }),
    },
  };
}
