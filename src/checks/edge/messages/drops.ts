import type { Host } from '../../../host.ts';
import { addedTo, type Counters } from './counters.ts';
import { counted, type Part } from './part.ts';

type Alerts = NonNullable<ReturnType<Host['alerts']>>;

/** What edgeHub has dropped, for each output that has ever lost a message since edgeHub's start. */
export function judgeDrops(
  drops: Counters,
  windowMinutes: number,
  own: OwnAlerts | undefined,
): readonly Part[] {
  const added = addedTo(drops);
  const targets = new Set([...added.keys()].map((name) => name.slice(name.indexOf(' ') + 1)));
  const parts = [...targets].map((target) => {
    const noRoute = added.get(`no_route ${target}`) ?? 0;
    const expired = added.get(`ttl_expiry ${target}`) ?? 0;
    return { target, noRoute, expired };
  });
  const others = parts.filter(({ target }) => target !== own?.source);
  const worstFirst = others.sort((a, b) => b.noRoute + b.expired - a.noRoute - a.expired);
  const ours = parts.find(({ target }) => target === own?.source);
  return [
    ...(own ? [judgeOwn(own, ours?.noRoute ?? 0, ours?.expired ?? 0, windowMinutes)] : []),
    ...worstFirst.map(({ target, noRoute, expired }): Part => {
      const message = `edgeHub dropped no message of ${target} in the last ${windowMinutes} min`;
      const problems = [
        ...(noRoute > 0 ? [noRouteProblem(target, noRoute, windowMinutes)] : []),
        ...(expired > 0 ? [expiredProblem(target, expired, windowMinutes)] : []),
      ];
      return { target, message, problems, readings: [dropped(noRoute + expired)] };
    }),
  ];
}

const dropped = (value: number) => ({ gauge: 'messages_dropped', value }) as const;

type Problem = NonNullable<Part['problems']>[number];

const noRouteProblem = (target: string, count: number, windowMinutes: number): Problem => ({
  status: 'warn',
  reason: 'no_route',
  message: `edgeHub dropped ${counted(count, 'message')} of ${target} in the last ${windowMinutes} min because no route takes them`,
  remedy: `Add a route to the deployment: ${routeFor(target)}. If nobody needs these messages, except this finding in the policy`,
});

const expiredProblem = (target: string, count: number, windowMinutes: number): Problem => ({
  status: 'warn',
  reason: 'expired',
  message: `edgeHub dropped ${counted(count, 'message')} of ${target} in the last ${windowMinutes} min because they had waited longer than their time to live`,
  remedy:
    'Find out why they could not be delivered: test the way to IoT Hub with `sudo iotedge check`, and see that the module they are for runs, with `sudo iotedge list`. To keep ' +
    'messages for longer, raise "storeAndForwardConfiguration.timeToLiveSecs" of edgeHub in the deployment',
});

/** The route that takes a target's messages to IoT Hub. Without an output it is a module, or a downstream device. */
function routeFor(target: string): string {
  const [sender = '', ...output] = target.split('/');
  const source = `/messages/modules/${sender}`;
  if (output.length > 0) return `"FROM ${source}/outputs/${output.join('/')} INTO $upstream"`;
  return `"FROM ${source}/* INTO $upstream", or for a downstream device "FROM /messages/* WHERE NOT IS_DEFINED($connectionModuleId) INTO $upstream"`;
}

/** The alerts of this module, and when a look found that edgeHub had dropped some of them, in seconds since 1970. */
export interface OwnAlerts extends Alerts {
  readonly droppedAt: number | undefined;
}

// Routing takes milliseconds.
const routedAfterSeconds = 5;
// A route that was added is proved by the next alert. Without one, the end of the finding is an alert that proves it.
const forgottenAfterSeconds = 86_400;

/**
 * When alerts were last found dropped, after another look. Undefined once a later alert was not. Drops before the first look
 * count where this process has sent an alert.
 */
export function alertsDropped(
  before: number | undefined,
  { source, lastAt }: Alerts,
  { drops, at, isFirst }: { readonly drops: Counters; readonly at: number; readonly isFirst: boolean },
): number | undefined {
  const own = drops.followed.find(({ name }) => name === `no_route ${source}`);
  if (own?.added.some(([moment]) => moment === at) || (isFirst && own && lastAt)) return at;
  if (before === undefined || at - before > forgottenAfterSeconds) return undefined;
  const last = lastAt === undefined ? 0 : lastAt.getTime() / 1000;
  return last > before && at >= last + routedAfterSeconds ? undefined : before;
}

function judgeOwn(
  { source, lastAt, droppedAt }: OwnAlerts,
  noRoute: number,
  expired: number,
  windowMinutes: number,
): Part {
  const sent =
    lastAt === undefined ? 'it has sent none since its start' : `it sent the last one at ${utc(lastAt)}`;
  const unrouted: Problem[] =
    droppedAt === undefined
      ? []
      : [
          {
            status: 'warn',
            reason: 'no_route',
            message:
              noRoute > 0
                ? `edgeHub dropped ${counted(noRoute, 'alert')} of this module in the last ${windowMinutes} min because no route takes them`
                : `edgeHub dropped the last alerts of this module, before ${utc(new Date(droppedAt * 1000))}, because no route takes them`,
            remedy: `Add a route to the deployment: ${routeFor(source)}. The next alert proves it`,
          },
        ];
  return {
    target: source,
    message: `edgeHub dropped no alert of this module in the last ${windowMinutes} min; ${sent}`,
    problems: [...unrouted, ...(expired > 0 ? [expiredProblem(source, expired, windowMinutes)] : [])],
    readings: [dropped(noRoute + expired)],
  };
}

/** `20:15 UTC on 2026-11-21` */
const utc = (moment: Date): string => {
  const text = moment.toISOString();
  return `${text.slice(11, 16)} UTC on ${text.slice(0, 10)}`;
};
