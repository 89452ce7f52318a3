import { describeError } from '../errors.ts';
import { createHourlyBudget, type HourlyBudget } from './limits.ts';
import { detailOf, type HubDetail, type HubLog } from './session.ts';

/** What the connection is used for. */
export type Use = 'twin' | 'reports' | 'messages';

/** A use that fails, though edgeHub accepts the connection. */
export interface Trouble {
  readonly use: Use;
  /** Since the first failure, by a clock that no step moves. */
  readonly seconds: number;
  /** One sentence. */
  readonly message: string;
  readonly detail?: HubDetail | undefined;
}

/** Follows whether each use works, from session to session, and logs when one begins to fail and when it works again. */
export interface Uses {
  /** The error's own message names the kind of failure; what differs from one failure to the next is in its causes. */
  failed(use: Use, error: Error): void;
  worked(use: Use): void;
  /** The uses that fail now, the longest first. */
  troubles(): readonly Trouble[];
}

// Further beginnings and changes of kind within the hour are logged once there is room, if the use still fails then.
const maxLoggedPerHour = 6;

const texts: Readonly<
  Record<Use, { readonly level: 'warn' | 'error'; readonly begins: string; readonly ends: string }>
> = {
  twin: {
    level: 'warn',
    begins: 'The twin could not be read, waiting for it',
    ends: 'edgeHub has a copy of the twin now',
  },
  reports: {
    level: 'error',
    begins: 'The report did not get through, it will be retried',
    ends: 'edgeHub has the current report again',
  },
  messages: {
    level: 'warn',
    begins: 'A message did not get through, it will be retried',
    ends: 'edgeHub accepts messages again',
  },
};

/** @param onChange called when a use begins to fail or works again. */
export function createUses(log: HubLog, onChange: () => void): Uses {
  const failing = new Map<Use, { readonly since: number; error: Error; logged: string | undefined }>();
  const budgets: Readonly<Record<Use, HourlyBudget>> = {
    twin: createHourlyBudget(maxLoggedPerHour),
    reports: createHourlyBudget(maxLoggedPerHour),
    messages: createHourlyBudget(maxLoggedPerHour),
  };

  return {
    failed(use, error) {
      const now = performance.now();
      const before = failing.get(use);
      const state = before ?? { since: now, error, logged: undefined };
      state.error = error;
      failing.set(use, state);
      if (state.logged !== error.message && budgets[use].hasRoom(now)) {
        budgets[use].spend(now);
        state.logged = error.message;
        log[texts[use].level]({ err: error }, texts[use].begins);
      }
      if (!before) onChange();
    },
    worked(use) {
      const before = failing.get(use);
      if (!before) return;
      failing.delete(use);
      if (before.logged !== undefined) log.info({}, texts[use].ends);
      onChange();
    },
    troubles: () =>
      [...failing].map(([use, { since, error }]) => ({
        use,
        seconds: (performance.now() - since) / 1000,
        message: describeError(error),
        detail: detailOf(error),
      })),
  };
}
