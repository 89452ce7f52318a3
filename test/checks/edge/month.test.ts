import { describe, expect, test } from 'vitest';
import { type Random, seeded, seedOf } from '../../support/random.ts';
import { alarmsIn, createDevice } from './simulated-device.ts';

const names = [
  'edgeAgent',
  'edgeHub',
  'hardening',
  'opc',
  'press',
  'camera',
  'store',
  'rules',
  'web',
  'backup',
];
const policy = { expected: ['edgeAgent', 'edgeHub', 'opc', 'press'] };

const hour = 3600;
const day = 24 * hour;
const month = 30 * day;
const seed = seedOf('MONTH_SEED');

type Device = ReturnType<typeof createDevice>;
type Event = readonly [
  name: string,
  perMonth: number,
  happen: (device: Device, random: Random) => void,
  /** So many times, once before each of the next looks. */
  times?: number,
];

const anyOf = (random: Random): string => names[random.below(names.length)] ?? 'opc';

function forAll(work: (name: string) => void): void {
  for (const name of names) work(name);
}

function restartAfterCrash(device: Device): void {
  device.crash('hardening');
  device.restartAgent();
}

/** What happens on a device that is well, and how often. */
const events: readonly Event[] = [
  ['one module is updated', 20, (device, random) => device.update(anyOf(random))],
  ['all modules are updated', 2, (device) => forAll((name) => device.update(name))],
  ['the Edge CA is renewed', 8, (device) => device.renew()],
  ['the device is rebooted', 6, (device, random) => device.reboot(30 + random.below(hour))],
  ['the runtime is restarted again and again', 3, (device) => device.renew(), 4],
  ['the device is rebooted again and again', 3, (device) => device.reboot(60), 4],
  ['the agent is restarted', 20, (device) => device.restartAgent()],
  ['the agent crashes', 6, restartAfterCrash],
  [
    'one module crashes',
    30,
    (device, random) => device.crash(anyOf(random), random.pick([1, 137, 139, 255])),
  ],
  ['one module ends', 10, (device, random) => device.crash(anyOf(random), 0)],
  ['the clock is set ahead', 5, (device, random) => device.step(random.below(2 * day))],
  ['the clock is set back', 5, (device, random) => device.step(-random.below(2 * day))],
  ['the clock is corrected', 20, (device, random) => device.step(random.below(20) - 10)],
  ['the metrics of edgeHub reset', 5, (device) => device.newInstance('edgeHub')],
];

/** A look may go wrong, each way in some of 100. No module is left out of two lists. */
async function lookOddly(device: Device, random: Random): Promise<readonly string[]> {
  device.failListing(random.below(100) < 3);
  device.failPages(random.below(100) < 20);
  const [before] = device.leftOut;
  const left = random.below(100) < 5 ? anyOf(random) : undefined;
  device.leaveOut(...(left === undefined || left === before ? [] : [left]));
  return alarmsIn(await device.look(policy));
}

/** Runs the check every five minutes, as the schedule does, until `seconds` have passed. */
async function watch(
  device: Device,
  random: Random,
  seconds: number,
  each: (alarms: readonly string[]) => boolean,
) {
  const until = device.time + seconds;
  while (device.time < until) {
    device.pass(270 + random.below(60));
    if (each(await lookOddly(device, random))) return;
    // A change of status is looked at once more.
    if (random.below(10) > 0) continue;
    device.pass(15);
    if (each(await lookOddly(device, random))) return;
  }
}

test.each([1, 2])(
  'a month of ten modules without a fault is a month without an alarm (%d)',
  { timeout: 60_000 },
  async (nth) => {
    const random = seeded(seed + nth);
    const device = createDevice(names);
    const alarms: string[] = [];
    const happened: string[] = [];
    const probability = 300 / month;
    let repeated: readonly Event[] = [];
    await watch(device, random, month, (told) => {
      if (told.length > 0) {
        alarms.push(
          `day ${(device.time / day).toFixed(2)}: ${told.join(', ')} after ${happened.slice(-6).join('; ')}`,
        );
      }
      const [next, ...later] = repeated;
      repeated = later;
      for (const event of events) {
        const [name, perMonth, happen, times = 1] = event;
        const begins = random.next() < perMonth * probability;
        if (begins) repeated = [...repeated, ...Array.from({ length: times - 1 }, () => event)];
        if (!begins && event !== next) continue;
        happened.push(`${name} (${(device.time / day).toFixed(3)})`);
        device.pass(random.below(200));
        happen(device, random);
      }
      return false;
    });
    expect(alarms).toEqual([]);
    expect(happened.length).toBeGreaterThan(80);
  },
);

type Fault = readonly [name: string, alarm: RegExp, withinMinutes: number, happen: (device: Device) => void];

const faults: readonly Fault[] = [
  [
    'ends at once, again and again',
    /^camera (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('camera', { runSeconds: 2, code: 0 }),
  ],
  [
    'ends every minute without an error',
    /^camera (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('camera', { runSeconds: 60, code: 0 }),
  ],
  [
    'crashes at once',
    /^camera (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('camera', { runSeconds: 1, code: 139 }),
  ],
  [
    'crashes after two minutes',
    /^camera (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('camera', { runSeconds: 120, code: 1 }),
  ],
  [
    'runs out of memory every eleven minutes',
    /^camera (warn|fail) restart_loop$/,
    50,
    (device) => device.behave('camera', { runSeconds: 660, code: 137 }),
  ],
  [
    'ends again and again under "always"',
    /^camera (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('camera', { runSeconds: 5, code: 0, policy: 'always' }),
  ],
  [
    'crashes until edgeAgent gives up',
    /^camera fail gave_up$/,
    110,
    (device) => device.behave('camera', { runSeconds: 1, code: 1 }),
  ],
  [
    'is edgeAgent, and crashes',
    /^edgeAgent (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('edgeAgent', { runSeconds: 5, code: 1 }),
  ],
  [
    'is the agent itself, and crashes',
    /^hardening (warn|fail) restart_loop$/,
    35,
    (device) => device.behave('hardening', { runSeconds: 60, code: 1 }),
  ],
  ['is dead', /^camera fail dead$/, 12, (device) => device.kill('camera')],
  ['is removed, but expected', /^press fail missing$/, 20, (device) => device.remove('press')],
  ['fails, and is not started again', /^camera fail failed$/, 25, (device) => device.stop('camera', 1)],
  ['is stopped', /^camera warn stopped$/, 20, (device) => device.stop('camera', 143)],
  ['is stopped, but expected', /^press fail stopped$/, 20, (device) => device.stop('press', 0)],
];

describe('a module that', () => {
  test.each(faults)('%s is found (%s) within %d minutes', async (_, alarm, minutes, happen) => {
    for (let i = 0; i < 10; i += 1) {
      const random = seeded(seed + i);
      const device = createDevice(names);
      await watch(device, random, 2 * hour, () => false);
      happen(device);
      let found = Number.POSITIVE_INFINITY;
      const from = device.time;
      await watch(device, random, 3 * hour, (told) => {
        if (told.some((each) => alarm.test(each))) found = (device.time - from) / 60;
        return found < Number.POSITIVE_INFINITY;
      });
      expect(found).toBeLessThanOrEqual(minutes);
    }
  });
});
