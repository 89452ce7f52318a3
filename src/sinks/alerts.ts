import type { Change } from '../run/confirm.ts';

/** A message for the output `alerts`. */
export interface Alert {
  readonly body: {
    readonly check: string;
    readonly target: string;
    readonly status: string;
    readonly previousStatus: string;
    readonly reason?: string;
    readonly message: string;
    readonly remedy?: string;
    readonly controls?: readonly string[];
    readonly since: string;
  };
  /** Application properties, for routes to filter by. */
  readonly properties: Readonly<
    Record<'check' | 'status' | 'previousStatus' | 'severity' | 'target', string>
  >;
}

/** The application property `severity` of each status. */
export const severities = {
  fail: 'error',
  warn: 'warning',
  unknown: 'warning',
  pass: 'info',
  skip: 'info',
} as const;

/**
 * The message for one confirmed change; undefined for a new finding without a problem. A finding that has disappeared
 * is sent as skip, so that no alert stays open.
 */
export function alertFor(check: string, { target, previous, finding }: Change, now: Date): Alert | undefined {
  const status = finding?.status ?? 'skip';
  if (previous === undefined && (status === 'pass' || status === 'skip')) return undefined;
  const previousStatus = previous ?? 'none';
  return {
    body: {
      check,
      target,
      status,
      previousStatus,
      ...(finding?.reason === undefined ? {} : { reason: finding.reason }),
      message: finding?.message ?? 'The check no longer reports this target',
      ...(finding?.remedy === undefined ? {} : { remedy: finding.remedy }),
      ...(finding?.controls === undefined ? {} : { controls: finding.controls }),
      since: finding?.since ?? now.toISOString(),
    },
    properties: { check, status, previousStatus, severity: severities[status], target },
  };
}
