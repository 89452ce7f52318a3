import * as z from 'zod';
import type { Check } from '../check.ts';
import { never, within } from '../deadline.ts';
import type { HubLink } from '../host/agent/types.ts';
import { createHub, type Hub } from '../hub/hub.ts';
import { createOpenSession, type TransportChoice } from '../hub/mqtt/open-session.ts';
import type { CredentialSource } from '../hub/session.ts';
import type { HubStatus } from '../hub/status.ts';
import type { Log } from '../log.ts';
import type { PolicyKeeper } from '../policy/keeper.ts';
import type { Agent, HubFacts } from '../run/agent.ts';
import { alertFor } from '../sinks/alerts.ts';
import { reportedKeys } from '../sinks/reported.ts';
import type { StateFile } from '../state/state-file.ts';
import { createMethods } from './methods.ts';
import { createReporter } from './reporter.ts';
import { summariseAlerts } from './summary.ts';

const reportedName = 'reported';
const alertsName = 'alerts';
const messageSchema = z.object({
  output: z.string(),
  body: z.unknown(),
  properties: z.record(z.string(), z.string()),
  leftOut: z.number().optional(),
});
/** A disk that hangs must not keep the report from being sent. */
const saveSeconds = 5;

export interface StoredHubOptions {
  readonly credentials: CredentialSource;
  readonly transport: TransportChoice;
  readonly state: StateFile;
  readonly log: Log;
  readonly now: () => Date;
}

/** A hub that continues where an earlier process stopped: with its acknowledged report and its unsent alerts. */
export const createStoredHub = ({ credentials, transport, state, log, now }: StoredHubOptions): Hub =>
  createHub({
    open: createOpenSession({ credentials, transport, log }),
    keys: reportedKeys,
    acknowledged: z.record(z.string(), z.unknown()).safeParse(state.get(reportedName)).data,
    async beforePatch(patch) {
      // A policy that was acknowledged must still be in force after the process was killed.
      if (!('policy' in patch)) return;
      await within(saveSeconds, never, state.flush).catch((error: unknown) =>
        log.warn({ err: error }, 'The policy could not be saved before it is acknowledged'),
      );
    },
    onAcknowledged: (reported) => state.set(reportedName, reported),
    unsent: z.array(messageSchema).safeParse(state.get(alertsName)).data,
    onUnsent: (messages) => state.set(alertsName, messages),
    summarise: summariseAlerts(now),
    log,
    random: Math.random,
    now,
  });

/** What the report says of the connection. */
export const hubFacts = ({ state, since, problem, takeover, troubles, notice }: HubStatus): HubFacts => {
  const found = [takeover ?? [], ...(troubles ?? []).map(({ message }) => message)].flat().join('; ');
  const hubProblem = problem?.message ?? (found || notice);
  return { hub: state, hubSince: since.toISOString(), ...(hubProblem === undefined ? {} : { hubProblem }) };
};

/** The connection as checks see it. */
export const hubLink = ({ state, seconds, problem, takeover, troubles }: HubStatus): HubLink => ({
  connected: state === 'connected',
  seconds,
  problem,
  takeover,
  troubles,
});

export interface CloudOptions {
  readonly hub: Hub;
  readonly checks: readonly Check[];
  readonly keeper: PolicyKeeper;
  readonly agent: Agent;
  readonly now: () => Date;
}

/** The connection between the agent and its module twin. */
export interface Cloud {
  /** Resolves once the twin was read for the first time. */
  readonly firstTwin: Promise<void>;
  /** Sends the heartbeat if it is due. */
  beat(): void;
}

/** Connects the agent to its module twin: receives policies, sends reports and alerts, handles direct methods. */
export function connectCloud({ hub, checks, keeper, agent, now }: CloudOptions): Cloud {
  const reporter = createReporter({
    send: (properties, minIntervalSeconds, urgent) =>
      hub.report({ ...properties }, minIntervalSeconds, urgent),
    inForce: keeper.inForce,
    complete: () => agent.notReady() === undefined,
  });
  agent.subscribe({
    show: reporter.show,
    ran({ result, changes }) {
      for (const change of changes) {
        const alert = alertFor(result.id, change, now());
        if (alert) hub.send({ output: 'alerts', ...alert });
      }
    },
  });
  const firstTwin = new Promise<void>((resolve) => {
    hub.start({
      methods: createMethods(agent, checks),
      onDesired(desired) {
        // A change of policy makes the agent report by itself; a repeated one still has to be acknowledged.
        if (!keeper.applyDesired(desired)) reporter.show(agent.report(), true);
        resolve();
      },
    });
  });
  return { firstTwin, beat: () => reporter.show(agent.report(), false) };
}
