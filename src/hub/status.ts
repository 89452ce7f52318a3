import { describeError } from '../errors.ts';
import { createAnnouncer } from './announcer.ts';
import { type Course, lastingMs } from './reconnect.ts';
import {
  type AwaitedStep,
  detailOf,
  type HubDetail,
  HubError,
  type HubLog,
  type HubReason,
} from './session.ts';
import { createUses, type Trouble, type Uses } from './uses.ts';

/** The connection to edgeHub. */
export interface HubStatus {
  readonly state: 'connecting' | 'connected' | 'offline';
  /** The beginning of this state. */
  readonly since: Date;
  /** For how long there has been a connection, or none, by a clock that no step moves. */
  readonly seconds: number;
  /** Why there is no connection: absent while there is one, and until the first attempt has failed or takes long. */
  readonly problem?: HubProblem;
  /** What users should know about a connection that works. */
  readonly notice?: string;
  /** That another instance of this module keeps taking over the connection. */
  readonly takeover?: string;
  /** What fails although edgeHub accepts the connection, the longest first; absent where nothing does. */
  readonly troubles?: readonly Trouble[];
}

export interface HubProblem {
  readonly reason: HubReason;
  /** One sentence. */
  readonly message: string;
  readonly detail?: HubDetail | undefined;
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
  /** An attempt to connect waits for this, until it waits for something else, succeeds or fails. */
  awaits(awaited: AwaitedStep): void;
  connected(notice: string | undefined): void;
  failed(error: unknown, retrySeconds: number, course: Course): void;
  closed(): void;
}

/** edgeHub closed the connection, for no reason that this module gave. */
export class ConnectionLost extends HubError {
  override readonly name = 'ConnectionLost';
}

/** Connections in a row that edgeHub closes soon after they were opened: no coincidence. */
const takeovers = 3;
/** An attempt that waits longer than this is a problem, whatever the last one failed with. */
const awaitSeconds = 5;

export function createStatusKeeper(now: () => Date, log: HubLog): StatusKeeper {
  let status: Omit<HubStatus, 'seconds'> = { state: 'connecting', since: now() };
  /** On the monotonic clock: when the connection was made or lost. */
  let changedAt = performance.now();
  let lost = 0;
  const { watch, announce, announceProblem, close } = createAnnouncer(problemKind);
  const uses = createUses(log, announceProblem);
  let awaiting: NodeJS.Timeout | undefined;

  function problemKind(): string | undefined {
    const { state, problem } = status;
    if (state !== 'connected') return problem && [problem.reason, problem.detail ?? []].flat().join(', ');
    const failing = uses.troubles().map(({ use }) => use);
    return failing.toSorted().join(', ') || undefined;
  }

  const takenOver = (): string | undefined =>
    lost < takeovers
      ? undefined
      : `Another instance of this module is probably connected, or edgeHub keeps restarting: it closed ${lost} connections in a row within ${lastingMs / 60_000} minutes of opening them`;

  function change(next: Omit<HubStatus, 'since' | 'seconds'>): void {
    clearTimeout(awaiting);
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
    watch,
    uses,
    awaits({ reason, detail, missing }) {
      clearTimeout(awaiting);
      // A session that replaces one that works is no problem until it has failed.
      const { state } = status;
      if (state === 'connected') return;
      const problem = { reason, detail, message: `${missing} for more than ${awaitSeconds} s` };
      awaiting = setTimeout(() => change({ state, problem }), awaitSeconds * 1000).unref();
    },
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
      change({ state: 'offline', problem: { reason, message, detail: detailOf(error) } });
    },
    closed() {
      change({ state: 'offline' });
      close();
    },
  };
}
