import { z } from 'zod';
import type { Agent, Sink } from './agent.ts';
import type { Check } from './check.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { openSession } from './hub/session.ts';
import type { Log } from './log.ts';
import type { Memory } from './memory.ts';
import { createMethods } from './methods.ts';
import type { PolicyKeeper } from './policy-keeper.ts';
import { createReporter } from './reporter.ts';
import { alertFor } from './sinks/alerts.ts';

export interface CloudOptions {
  readonly checks: readonly Check[];
  readonly keeper: PolicyKeeper;
  readonly memory: Memory;
  readonly log: Log;
  readonly now: () => Date;
  /** The agent, which is made after the cloud it talks to. */
  agent(): Agent;
}

/** Everything between the agent and its module twin. */
export interface Cloud {
  readonly hub: Hub;
  readonly sink: Sink;
  /** Settles once the twin has been read for the first time. */
  readonly firstTwin: Promise<void>;
  /** Tells the twin where the agent stands, heartbeat included. */
  tell(urgent: boolean): void;
}

const reportedName = 'reported';
const alertsName = 'alerts';
const alert = z.object({
  output: z.string(),
  body: z.unknown(),
  properties: z.record(z.string(), z.string()),
});

const acknowledgedBefore = (memory: Memory) =>
  z.record(z.string(), z.unknown()).safeParse(memory.get(reportedName)).data;

/** Makes the way to the twin; `hub.start` begins to connect. */
export function createCloud({ checks, keeper, memory, log, now, agent }: CloudOptions): Cloud {
  let heard = () => {};
  const firstTwin = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const tell = (urgent: boolean) => reporter.show(agent().report(), urgent);
  const hub = createHub({
    open: openSession(createMethods(agent, checks)),
    onDesired(desired) {
      keeper.obey(desired);
      heard();
      tell(true);
    },
    acknowledged: acknowledgedBefore(memory),
    onAcknowledged: (reported) => memory.set(reportedName, reported),
    unsent: z.array(alert).safeParse(memory.get(alertsName)).data,
    onUnsent: (messages) => memory.set(alertsName, messages),
    log,
    random: Math.random,
    now,
  });
  const reporter = createReporter({
    send: (properties, minIntervalSeconds, urgent) =>
      hub.report({ ...properties }, minIntervalSeconds, urgent),
    inForce: keeper.inForce,
    complete: () => agent().notReady() === undefined,
  });
  return {
    hub,
    firstTwin,
    tell,
    sink: {
      show: reporter.show,
      ran({ result, changes }) {
        for (const change of changes) {
          const alert = alertFor(result.id, change, now());
          if (alert) hub.send({ output: 'alerts', ...alert });
        }
      },
    },
  };
}
