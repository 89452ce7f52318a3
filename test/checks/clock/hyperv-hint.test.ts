import { expect, test } from 'vitest';
import { hypervHint } from '../../../src/checks/clock/hyperv-hint.ts';

const { signal } = new AbortController();
const hintFor = (...chronyLines: string[]) =>
  hypervHint({ hypervClock: async () => ({ device: '/dev/ptp1', chronyLines }) }, signal);

test.each([
  ['nothing but servers', ['server time.windows.com', 'makestep 1.0 3']],
  ['the line as a comment', ['#refclock PHC /dev/ptp_hyperv poll 3']],
  ['the clock of the network card', ['refclock PHC /dev/ptp0 poll 3']],
  ['another kind of clock', ['refclock SHM 0 refid GPS']],
  ['nothing', []],
])('a configuration with %s leaves the Hyper-V clock unused', async (_what, lines) => {
  expect(await hintFor(...lines)).toContain('refclock PHC /dev/ptp_hyperv');
});

test.each([
  ['by its link', 'refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2'],
  ['by its device', '  refclock PHC /dev/ptp1:nocrossts poll 3'],
  ['in other letters', 'RefClock phc /dev/ptp_hyperv'],
])('a configuration that names it %s uses it', async (_what, line) => {
  expect(await hintFor('server time.windows.com', line)).toBe('');
});

test('without such a clock there is no hint, and neither is there after an error', async () => {
  expect(await hypervHint({ hypervClock: async () => undefined }, signal)).toBe('');
  expect(await hypervHint({ hypervClock: () => Promise.reject(new Error('broken')) }, signal)).toBe('');
});
