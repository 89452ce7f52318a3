import type { Summarise } from '../hub/messages/queue.ts';
import type { OutputMessage } from '../hub/session.ts';

const severities = ['info', 'warning', 'error'];
const statuses = ['skip', 'pass', 'unknown', 'warn', 'fail'];

/**
 * Makes the alert in place of those that were left out. Its properties are those of an alert, with the worst status and
 * severity of them, so that a route which filters alerts by severity also gets this one.
 */
export const summariseAlerts =
  (now: () => Date): Summarise =>
  (leftOut, dropped) => {
    const status = worst(dropped, 'status', statuses);
    const severity = worst(dropped, 'severity', severities);
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
        severity,
        target: 'alerts',
        leftOut: String(leftOut),
      },
    };
  };

const worst = (messages: readonly OutputMessage[], property: string, order: readonly string[]): string =>
  order.findLast((value) => messages.some(({ properties }) => properties[property] === value)) ??
  order[0] ??
  '';

const sinceOf = (body: unknown): string | undefined =>
  typeof body === 'object' && body !== null && 'since' in body && typeof body.since === 'string'
    ? body.since
    : undefined;
