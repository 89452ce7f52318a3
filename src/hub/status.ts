import { describeError } from '../errors.ts';
import { type Course, lastingMs } from './reconnect.ts';
import { HubError, type HubLog, type HubReason } from './session.ts';

/** The connection to edgeHub. */
export interface HubStatus {
  readonly state: 'connecting' | 'connected' | 'offline';
  /** The beginning of this state. */
  readonly since: Date;
  /** Why there is no connection: absent while there is one, and before the first attempt has failed. */
  readonly problem?: { readonly reason: HubReason; readonly message: string };
  /** What users should know about a connection that works. */
  readonly notice?: string;
}

/** Follows the connection, and logs its changes. */
export interface StatusKeeper {
  status(): HubStatus;
  connected(notice: string | undefined): void;
  failed(error: unknown, retrySeconds: number, course: Course): void;
  closed(): void;
}

/** edgeHub closed the connection, for no reason that this module gave. */
export class ConnectionLost extends HubError {
  override readonly name = 'ConnectionLost';
}

/** So many connections in a row that edgeHub closes soon after they were opened are no coincidence. */
const takeovers = 3;

export function createStatusKeeper(now: () => Date, log: HubLog): StatusKeeper {
  let status: HubStatus = { state: 'connecting', since: now() };
  let connectedAt = 0;
  let lost = 0;

  const takenOver = (): string | undefined =>
    lost < takeovers
      ? undefined
      : `Another instance of this module is probably connected: edgeHub closed ${lost} connections in a row within ${lastingMs / 60_000} minutes of opening them`;

  function change(next: Omit<HubStatus, 'since'>): void {
    status = { ...next, since: next.state === status.state ? status.since : now() };
  }

  return {
    status() {
      if (status.state === 'connected' && performance.now() - connectedAt >= lastingMs) lost = 0;
      const notice = status.notice ?? (status.state === 'connected' ? takenOver() : undefined);
      return notice === undefined ? status : { ...status, notice };
    },
    connected(notice) {
      if (status.state !== 'connected') {
        connectedAt = performance.now();
        log.info(notice === undefined ? {} : { notice }, 'Connected to edgeHub');
      }
      change({ state: 'connected', ...(notice === undefined ? {} : { notice }) });
    },
    failed(error, seconds, { opened, lasted }) {
      if (lasted || !opened || !(error instanceof ConnectionLost)) lost = 0;
      else if (status.state === 'connected') lost += 1;
      const reason = error instanceof HubError ? error.reason : 'offline';
      const message = takenOver() ?? describeError(error);
      if (lost === takeovers) log.warn({}, message);
      const retrySeconds = Number(seconds.toFixed(1));
      log.warn(
        { reason, err: error, retrySeconds },
        opened ? 'The session with edgeHub ended' : 'No connection to edgeHub',
      );
      change({ state: 'offline', problem: { reason, message } });
    },
    closed() {
      change({ state: 'offline' });
    },
  };
}
