import type { HubPage } from './hub-page.ts';
import { counted, lasting, type Part } from './part.ts';

/** Looks in a row that found edgeHub without a connection to IoT Hub: the first and the last, in seconds since 1970. */
export interface Away {
  readonly since: number;
  readonly last: number;
}

/** What the verdict on the connection to IoT Hub depends on. */
export interface UpstreamLook {
  readonly upstream: HubPage['upstream'];
  readonly away: Away | undefined;
  /** Seconds since 1970. */
  readonly at: number;
  /** Since when edgeHub has been running, at the latest. */
  readonly startedAt: number;
}

// edgeHub tries every two minutes.
const startingSeconds = 600;

/** The looks in a row after one more. Another look at the same page is none, and one long before says nothing. */
export function stillAway(
  before: Away | undefined,
  { upstream, at, startedAt, forgetSeconds }: Omit<UpstreamLook, 'away'> & { readonly forgetSeconds: number },
): Away | undefined {
  if (upstream?.connected || isStarting({ upstream, at, startedAt })) return undefined;
  const continues = before !== undefined && before.last <= at && at - before.last <= forgetSeconds;
  return { since: continues ? before.since : at, last: at };
}

/** Whether edgeHub is connected to IoT Hub. That it is not is told by the second look in a row, because edgeHub reconnects. */
export function judgeUpstream({ upstream, away, at, startedAt }: UpstreamLook): Part {
  const target = 'upstream';
  const losses = upstream?.losses
    ? `, which it has lost ${counted(upstream.losses, 'time')} since its start`
    : '';
  if (upstream?.connected) {
    return { target, message: `edgeHub is connected to IoT Hub${losses}`, readings: [connected(1)] };
  }
  if (isStarting({ upstream, at, startedAt })) {
    const since = lasting(at - startedAt);
    return { target, message: `edgeHub started ${since} ago and has not reached IoT Hub yet` };
  }
  const how = upstream
    ? `edgeHub has no connection to IoT Hub${losses}`
    : `edgeHub has not reached IoT Hub since its start, ${lasting(at - startedAt)} ago or earlier`;
  const readings = [connected(0)];
  if (!away || away.last <= away.since) {
    return { target, message: `${how}; this is told once a second look finds the same`, readings };
  }
  return {
    target,
    message: how,
    readings,
    problems: [
      {
        status: 'warn',
        reason: 'upstream_offline',
        message: `${how}; for ${lasting(away.last - away.since)} at least`,
        remedy:
          'Test the way to IoT Hub with `sudo iotedge check`, then read what edgeHub says: `sudo iotedge logs edgeHub --tail 100`. Messages wait on this device until their time to ' +
          'live ends',
      },
    ],
  };
}

const connected = (value: 0 | 1) => ({ gauge: 'edgehub_upstream_connected', value }) as const;

/** It has no connection at its start, and does not count that. */
const isStarting = ({ upstream, at, startedAt }: Omit<UpstreamLook, 'away'>): boolean =>
  upstream === undefined && at - startedAt < startingSeconds;
