import type { RuntimeMetrics } from '../../../host/edge/types.ts';
import type { Host } from '../../../host.ts';
import { count } from './counters.ts';
import { alertsDropped, judgeDrops } from './drops.ts';
import { readHubPage } from './hub-page.ts';
import { type Part, select } from './part.ts';
import { recordQueues } from './queue-history.ts';
import { judgeQueues } from './queues.ts';
import { judgeRefused } from './refused.ts';
import { keep, recall } from './remembered.ts';
import { judgeUpstream, stillAway } from './upstream.ts';

/** The parameters of `messageFlow`. */
export interface MessageLimits {
  readonly maxQueueLength: number;
  readonly windowMinutes: number;
}

/**
 * Judges edgeHub's page by itself and by what was remembered of earlier ones, and remembers it.
 *
 * @param hubStartedAt when edgeHub's container was started, where that is known.
 */
export function lookAtHub(
  metrics: RuntimeMetrics,
  { maxQueueLength, windowMinutes }: MessageLimits,
  { names, memory, alerts }: Pick<Host, 'names' | 'memory' | 'alerts'>,
  hubStartedAt: Date | undefined,
): readonly Part[] {
  const page = readHubPage(metrics, names.device);
  const at = Math.round(metrics.readAt.getTime() / 1000);
  const windowSeconds = windowMinutes * 60;
  const before = recall(memory, 'hub');
  const instance = metrics.instance?.slice(0, 100);
  const restarted = Boolean(before?.instance && instance && before.instance !== instance);
  const look = { at, restarted, windowSeconds };

  const drops = count(recall(memory, 'drops'), page.drops, look);
  const refused = count(recall(memory, 'refused'), page.refused, look);
  const queues = recordQueues(recall(memory, 'queues') ?? [], page.queues, at, windowSeconds);
  const seenAt = before && !restarted ? Math.min(before.seenAt, at) : at;
  const startedAt = Math.min(seenAt, (hubStartedAt?.getTime() ?? Number.POSITIVE_INFINITY) / 1000);
  const { upstream } = page;
  const away = stillAway(before?.away, { upstream, at, startedAt, forgetSeconds: windowSeconds });
  const sent = alerts();
  const isFirst = before === undefined;
  const alertsDroppedAt = sent
    ? alertsDropped(before?.alertsDroppedAt, sent, { drops, at, isFirst })
    : before?.alertsDroppedAt;

  keep(memory, 'hub', { instance: instance ?? before?.instance, seenAt, away, alertsDroppedAt });
  keep(memory, 'drops', drops);
  keep(memory, 'refused', refused);
  keep(memory, 'queues', queues);

  return [
    judgeUpstream({ upstream, away, at, startedAt }),
    ...select(judgeDrops(drops, windowMinutes, sent && { ...sent, droppedAt: alertsDroppedAt })),
    ...select(judgeQueues(page.queues, queues, { maxQueueLength, windowSeconds }, at)),
    ...select(judgeRefused(refused, windowMinutes)),
  ];
}
