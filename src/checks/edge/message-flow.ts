import * as z from 'zod';
import { CannotTell, defineCheck, type Subject } from '../../check.ts';
import { within } from '../../deadline.ts';
import { lookAtHub } from './messages/hub-look.ts';
import { messageGauges, messageReasons, type NoAnswer, type Part } from './messages/part.ts';
import { keep, recall } from './messages/remembered.ts';
import { judgeAgentStorage, judgeHubStorage } from './messages/storage.ts';

/** What was found out about a target when it was listed. */
interface Flow extends Subject {
  readonly parts: readonly (Part | NoAnswer)[];
}

// The module list and the engine say little here, and the messages do not wait for them for longer.
const graceSeconds = 3;

/** Whether edgeHub delivers messages: what it drops, what waits in it, whom it refuses, and whether it reaches IoT Hub. */
export const messageFlow = defineCheck({
  id: 'messageFlow',
  title: 'Messages are delivered, and edgeHub is connected to IoT Hub',
  params: z.strictObject({
    maxQueueLength: z
      .number()
      .min(1)
      .max(1e9)
      .default(10_000)
      .describe('Warns when more messages than this wait for IoT Hub or for an input of a module.'),
    windowMinutes: z
      .number()
      .min(1)
      .max(1440)
      .default(60)
      .describe('For how long a dropped message and a refused connection count, and growth is judged.'),
  }),
  uses: ['runtimeMetrics', 'modules', 'containers', 'alerts', 'memory'],
  reasons: messageReasons,
  gauges: messageGauges,

  needs: () => [{ kind: 'network', what: "edgeHub's metrics, TCP 9600" }],

  async subjects(limits, host, signal): Promise<readonly Flow[]> {
    const [metrics, modules, containers] = await Promise.all([
      answerOf(host.runtimeMetrics('edgeHub', signal)),
      answerOf(within(graceSeconds, signal, (deadline) => host.modules(deadline))),
      answerOf(within(graceSeconds, signal, (deadline) => host.containers(deadline))),
    ]);
    signal.throwIfAborted();
    const last = recall(host.memory, 'targets');
    const hub = modules.value?.modules.find(({ name }) => name === 'edgeHub');
    const messages =
      metrics.value === undefined
        ? ['upstream', host.alerts()?.source, ...(last?.hub ?? [])].flatMap((target) =>
            target === undefined ? [] : { target, error: metrics.error },
          )
        : lookAtHub(metrics.value, limits, host, hub?.startedAt);
    const storage = [
      partOf('edgeAgent', modules, (list) => judgeAgentStorage(list.modules), last?.storage),
      partOf('edgeHub', containers, judgeHubStorage, last?.storage),
    ].filter((part) => part !== undefined);
    keep(host.memory, 'targets', { hub: targetsOf(messages), storage: targetsOf(storage) });
    const all = [...messages, ...storage];
    return targetsOf(all).map((target) => ({ target, parts: all.filter((part) => part.target === target) }));
  },

  async examine({ parts }: Flow) {
    const answers = parts.filter((part) => 'message' in part);
    const readings = answers.flatMap((part) => part.readings ?? []);
    const [worst, ...also] = answers.flatMap(({ problems = [] }) => problems);
    if (worst) return { ...worst, also, readings };
    const failed = parts.find((part) => 'error' in part);
    if (failed) throw failed.error;
    return { status: 'pass', message: answers.map(({ message }) => message).join('; '), readings };
  },
});

/** What a host method returned, or why it did not. */
type Settled<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: unknown };

const answerOf = <T>(work: Promise<T>): Promise<Settled<T>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

/**
 * What a source says about where a module keeps its state. Where the source is not available, nothing is said; where it does
 * not answer, only about what it was asked for before.
 */
function partOf<T>(
  target: 'edgeAgent' | 'edgeHub',
  answer: Settled<T>,
  judge: (value: T) => Part | undefined,
  before: readonly string[] = [],
): Part | NoAnswer | undefined {
  if (answer.value !== undefined) return judge(answer.value);
  const { error } = answer;
  const isAbsent = error instanceof CannotTell && ['no_access', 'not_applicable'].includes(error.reason);
  return isAbsent || !before.includes(target) ? undefined : { target, error };
}

const targetsOf = (parts: readonly { readonly target: string }[]): string[] => [
  ...new Set(parts.map(({ target }) => target)),
];
