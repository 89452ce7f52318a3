import { counted, lasting, type Part } from './part.ts';
import { growthOf, type QueueHistory } from './queue-history.ts';

/** How long a queue may be, and how much time its growth is judged by. */
export interface QueueLimits {
  readonly maxQueueLength: number;
  readonly windowSeconds: number;
}

/** Each queue of edgeHub. The one to IoT Hub is always there, without a message where it is absent. */
export function judgeQueues(
  queues: ReadonlyMap<string, number>,
  history: QueueHistory,
  { maxQueueLength, windowSeconds }: QueueLimits,
  at: number,
): readonly Part[] {
  const known = new Map(history.map(({ name, lengths }) => [name, lengths]));
  const targets = [...new Set(['iothub', ...queues.keys(), ...known.keys()])];
  return targets
    .map((target) => ({ target, length: queues.get(target) ?? 0 }))
    .sort((a, b) => b.length - a.length)
    .map(({ target, length }): Part => {
      const waiting = `${counted(length, 'message')} ${Math.round(length) === 1 ? 'waits' : 'wait'} in edgeHub for ${target === 'iothub' ? 'IoT Hub' : target}`;
      const growth = queues.has(target) ? growthOf(known.get(target) ?? [], at, windowSeconds) : undefined;
      const problems: NonNullable<Part['problems']>[number][] = [];
      if (length > maxQueueLength) {
        problems.push({
          status: 'warn',
          reason: 'queue_long',
          message: `${waiting}, more than ${maxQueueLength}`,
          remedy: remedyFor(target),
        });
      }
      if (growth) {
        problems.push({
          status: 'warn',
          reason: 'queue_growing',
          message: `${waiting}, after ${growth.from} ${lasting(growth.seconds)} ago`,
          remedy: remedyFor(target),
        });
      }
      return { target, message: waiting, problems, readings: [{ gauge: 'queue_length', value: length }] };
    });
}

/** What empties a queue: IoT Hub, or the module that reads from an input. */
const remedyFor = (target: string): string =>
  target === 'iothub'
    ? 'Test the way to IoT Hub with `sudo iotedge check` and read why edgeHub does not send: `sudo iotedge logs edgeHub --tail 100`. If both are fine, the device ' +
      'sends more than its IoT hub or its line takes: send less, or raise the units of the IoT hub'
    : 'See whether the module that these messages are for runs and is fast enough: `sudo iotedge list`, then its log with `sudo iotedge logs`. Where it no longer exists, remove the ' +
      'route to it from the deployment';
