import { z } from 'zod';
import type { Check } from '../check.ts';
import { createHub, type Hub } from '../hub/hub.ts';
import { openSession } from '../hub/session.ts';
import type { Log } from '../log.ts';
import type { PolicyKeeper } from '../policy/keeper.ts';
import type { Agent } from '../run/agent.ts';
import { alertFor } from '../sinks/alerts.ts';
import type { StateFile } from '../state/state-file.ts';
import { createMethods } from './methods.ts';
import { createReporter } from './reporter.ts';

const reportedName = 'reported';
const alertsName = 'alerts';
const messageSchema = z.object({
  output: z.string(),
  body: z.unknown(),
  properties: z.record(z.string(), z.string()),
});

/** A hub that continues where an earlier process stopped: with its acknowledged report and its unsent alerts. */
export const createStoredHub = (state: StateFile, log: Log, now: () => Date): Hub =>
  createHub({
    open: openSession,
    acknowledged: z.record(z.string(), z.unknown()).safeParse(state.get(reportedName)).data,
    onAcknowledged: (reported) => state.set(reportedName, reported),
    unsent: z.array(messageSchema).safeParse(state.get(alertsName)).data,
    onUnsent: (messages) => state.set(alertsName, messages),
    log,
    random: Math.random,
    now,
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
