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
    readonly since: string;
  };
  /** Application properties, for routes to filter by. */
  readonly properties: Readonly<
    Record<'check' | 'status' | 'previousStatus' | 'severity' | 'target', string>
  >;
}

const severities = {
  fail: 'error',
  warn: 'warning',
  unknown: 'warning',
  pass: 'info',
  skip: 'info',
} as const;

/**
 * The message for one confirmed change; nothing for a finding that appears and is all right. A finding that has
 * vanished is told as skip.
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
      message: finding?.message ?? 'No longer there to be looked at',
      ...(finding?.remedy === undefined ? {} : { remedy: finding.remedy }),
      since: finding?.since ?? now.toISOString(),
    },
    properties: { check, status, previousStatus, severity: severities[status], target },
  };
}
