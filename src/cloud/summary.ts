import type { Status } from '../check.ts';
import type { Summarise } from '../hub/messages/queue.ts';
import { worst } from '../run/report.ts';
import { severities } from '../sinks/alerts.ts';

/**
 * Makes the alert in place of those that were left out. Its properties are those of an alert, with the worst status and
 * severity of them, so that a route which filters alerts by severity also gets this one.
 */
export const summariseAlerts =
  (now: () => Date): Summarise =>
  (leftOut, dropped) => {
    // A property in another form is no status, and does not count.
    const status = worst(dropped.map(({ properties }) => properties.status as Status));
    const earliest = dropped.map(({ body }) => sinceOf(body)).find((since) => since !== undefined);
    const left = leftOut === 1 ? '1 alert was' : `${leftOut} alerts were`;
    return {
      output: 'alerts',
      body: {
        check: 'hubConnection',
        target: 'alerts',
        status,
        previousStatus: 'none',
        leftOut,
        message: `${left} left out: more findings changed than can be kept for sending`,
        remedy: "Read the current findings in the module twin's reported properties.",
        since: earliest ?? now().toISOString(),
      },
      properties: {
        check: 'hubConnection',
        status,
        previousStatus: 'none',
        severity: severities[status],
        target: 'alerts',
        leftOut: String(leftOut),
      },
    };
  };

const sinceOf = (body: unknown): string | undefined =>
  typeof body === 'object' && body !== null && 'since' in body && typeof body.since === 'string'
    ? body.since
    : undefined;
