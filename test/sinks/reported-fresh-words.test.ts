import { expect, onTestFinished, test, vi } from 'vitest';
import { createReporter } from '../../src/cloud/reporter.ts';
import type { Reported } from '../../src/sinks/reported.ts';
import { checkReport, finding, inForce, reportOf } from '../support/sample-report.ts';

const hot = (usedPercent: number) =>
  reportOf({
    diskSpace: checkReport('Space', [
      finding({ status: 'warn', reason: 'space_low', message: `Used ${usedPercent} %`, remedy: 'Make room' }),
    ]),
  });

function reporting() {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const sent: Reported[] = [];
  let policy = inForce();
  const reporter = createReporter({
    send: (properties) => void sent.push(properties),
    inForce: () => policy,
    complete: () => true,
  });
  return {
    /** What the twin is told of the disk. */
    tell(usedPercent: number) {
      reporter.show(hot(usedPercent), false);
      return sent.at(-1)?.checks?.diskSpace?.findings[0]?.message;
    },
    adopt(version: number) {
      policy = inForce({ version });
    },
  };
}

test('words stay while nothing but the number changes, until the heartbeat', () => {
  const { tell } = reporting();
  expect(tell(76)).toBe('Used 76 %');
  vi.advanceTimersByTime(59 * 60_000);
  expect(tell(77)).toBe('Used 76 %');
  vi.advanceTimersByTime(60_000);
  expect(tell(78)).toBe('Used 78 %');
  expect(tell(79)).toBe('Used 78 %');
});

test('a new policy brings the words of today', () => {
  const { tell, adopt } = reporting();
  expect(tell(76)).toBe('Used 76 %');
  adopt(8);
  expect(tell(77)).toBe('Used 77 %');
  expect(tell(78)).toBe('Used 77 %');
});
