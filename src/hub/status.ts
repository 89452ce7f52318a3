import { describeError } from '../errors.ts';
import { type Course, lastingMs } from './reconnect.ts';
import { HubError, type HubLog, type HubReason } from './session.ts';
import { createUses, type Trouble, type Uses } from './uses.ts';

/** The connection to edgeHub. */
export interface HubStatus {
  readonly state: 'connecting' | 'connected' | 'offline';
  /** The beginning of this state. */
  readonly since: Date;
  /** For how long there has been a connection, or none, by a clock that no step moves. */
  readonly seconds: number;
  /** Why there is no connection: absent while there is one, and before the first attempt has failed. */
  readonly problem?: { readonly reason: HubReason; readonly message: string };
  /** What users should know about a connection that works. */
  readonly notice?: string;
  /** That another instance of this module keeps taking over the connection. */
  readonly takeover?: string;
  /** What fails although edgeHub accepts the connection, the longest first; absent where nothing does. */
  readonly troubles?: readonly Trouble[];
}

/** Follows the connection, and logs its changes. */
export interface StatusKeeper {
  status(): HubStatus;
  /**
   * Until the signal fires, calls `onChange` whenever the connection is made or lost, and when the kind of problem
   * changes, which may be up to 30 s later.
   */
  watch(onChange: (what: string) => void, signal: AbortSignal): void;
  readonly uses: Uses;
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
/** The least time from one announcement to that of another kind of problem, because problems may alternate. */
const announceEveryMs = 30_000;

export function createStatusKeeper(now: () => Date, log: HubLog): StatusKeeper {
  let status: Omit<HubStatus, 'seconds'> = { state: 'connecting', since: now() };
  /** On the monotonic clock: when the connection was made or lost. */
  let changedAt = performance.now();
  let lost = 0;
  const watchers = new Set<(what: string) => void>();
  const uses = createUses(log, announceProblem);
  let announced = { kind: problemKind(), at: Number.NEGATIVE_INFINITY };
  let announcing: NodeJS.Timeout | undefined;

  function problemKind(): string {
    if (status.state !== 'connected') return status.problem?.reason ?? 'none';
    const failing = uses.troubles().map(({ use }) => use);
    return failing.toSorted().join(', ') || 'none';
  }

  function announce(what: string): void {
    clearTimeout(announcing);
    announcing = undefined;
    announced = { kind: problemKind(), at: performance.now() };
    for (const onChange of watchers) onChange(what);
  }

  function announceProblem(): void {
    const kind = problemKind();
    if (kind === announced.kind || announcing) return;
    const waitMs = announced.at + announceEveryMs - performance.now();
    if (waitMs <= 0) announce(`The problem with edgeHub is now: ${kind}`);
    else {
      announcing = setTimeout(() => {
        announcing = undefined;
        announceProblem();
      }, waitMs).unref();
    }
  }

  const takenOver = (): string | undefined =>
    lost < takeovers
      ? undefined
      : `Another instance of this module is probably connected: edgeHub closed ${lost} connections in a row within ${lastingMs / 60_000} minutes of opening them`;

  function change(next: Omit<HubStatus, 'since' | 'seconds'>): void {
    const [before, after] = [status.state === 'connected', next.state === 'connected'];
    status = { ...next, since: next.state === status.state ? status.since : now() };
    if (before !== after) {
      changedAt = performance.now();
      announce(`The connection to edgeHub was ${after ? 'made' : 'lost'}`);
    } else announceProblem();
  }

  return {
    status() {
      const heldMs = performance.now() - changedAt;
      if (status.state === 'connected' && heldMs >= lastingMs) lost = 0;
      const takeover = takenOver();
      const troubles = uses.troubles();
      return {
        ...status,
        seconds: heldMs / 1000,
        ...(takeover === undefined ? {} : { takeover }),
        ...(troubles.length === 0 ? {} : { troubles }),
      };
    },
    watch(onChange, signal) {
      watchers.add(onChange);
      signal.addEventListener('abort', () => watchers.delete(onChange), { once: true });
    },
    uses,
    connected(notice) {
      if (status.state !== 'connected') {
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
      clearTimeout(announcing);
    },
  };
}
