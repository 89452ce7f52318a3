import { expect, test } from 'vitest';
import type { Report } from '../../src/run/report.ts';
import { loadFindings, saveFindings } from '../../src/state/findings.ts';

const since = '2026-11-21T20:30:00.000Z';

function memoryOf(value?: unknown) {
  const kept = new Map([['findings', value]]);
  return {
    get: (name: string) => kept.get(name),
    set: (name: string, next: unknown) => void kept.set(name, next),
  };
}

const finding = {
  target: '/var',
  status: 'fail',
  reason: 'space_low',
  message: 'Full',
  remedy: 'Make room',
  since,
} as const;
const report: Pick<Report, 'checks'> = {
  checks: {
    diskSpace: {
      title: 'Space is left',
      status: 'fail',
      since,
      lastRun: since,
      durationSeconds: 1,
      findings: [
        { ...finding, readings: [{ gauge: 'filesystem_size_bytes', value: 7 }] },
        { target: '/', status: 'pass', message: 'Fine', since },
      ],
    },
  },
};

test('findings are remembered without their readings, which will be old', () => {
  const memory = memoryOf();
  saveFindings(memory, report as Report);
  expect(loadFindings(memory)).toEqual({
    diskSpace: { since, findings: [finding, { target: '/', status: 'pass', message: 'Fine', since }] },
  });
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'garbage'],
  ['a check without findings', { diskSpace: { since } }],
  ['a status that does not exist', { diskSpace: { since, findings: [{ ...finding, status: 'ok' }] } }],
  ['a since that is no moment', { diskSpace: { since: 'yesterday', findings: [] } }],
])('of %s nothing is remembered', (_, value) => {
  expect(loadFindings(memoryOf(value))).toEqual({});
});
