import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchProblem, totalProblem } from '../../simulator/edge-hub/limits.ts';
import { firstVersion, type Properties, patched } from '../../simulator/edge-hub/twin.ts';
import { statuses } from '../../src/check.ts';
import { limitProblems } from '../../src/hub/limits.ts';
import { createOutbox } from '../../src/hub/outbox.ts';
import { reportedProperties } from '../../src/sinks/reported.ts';
import { anyInForce, anyReport } from '../support/arbitrary-report.ts';
import { holds } from '../support/properties.ts';

/** As the hub has it: JSON, without the nulls that no twin holds. */
const asHeld = (properties: object) => firstVersion(JSON.parse(JSON.stringify(properties))).values;

const render = (
  report: Parameters<typeof reportedProperties>[0],
  policy: Parameters<typeof reportedProperties>[1],
) => reportedProperties(report, policy, true, '2026-11-21T20:00:00.000Z', undefined);

const order: readonly string[] = statuses;

describe('any report under any policy', { timeout: 60_000 }, () => {
  test('fits into 16 KB and into every limit of IoT Hub, by our own count and the simulator’s', () => {
    holds(
      fc.property(anyReport, anyInForce, (report, policy) => {
        const properties = render(report, policy);
        expect(Buffer.byteLength(JSON.stringify(properties))).toBeLessThanOrEqual(16_384);
        expect(limitProblems({ ...properties })).toEqual([]);
        expect(patchProblem(asHeld(properties)) ?? totalProblem(asHeld(properties))).toBeUndefined();
      }),
      300,
    );
  });

  test('keeps the worst findings, as many as the policy wants or there is room for, and says how many it leaves out', () => {
    holds(
      fc.property(anyReport, anyInForce, (report, policy) => {
        const { summary, checks = {} } = render(report, policy);
        const rank = ({ status }: { status: string }) => order.indexOf(status);
        const wrong = Object.values(report.checks)
          .flatMap(({ findings }) => findings)
          .filter(({ status }) => status !== 'pass' && status !== 'skip')
          .map(rank)
          .toSorted((a, b) => b - a);
        const told = Object.values(checks)
          .flatMap(({ findings }) => findings)
          .map(rank)
          .toSorted((a, b) => b - a);
        expect(told).toEqual(wrong.slice(0, told.length));
        expect(told.length).toBeLessThanOrEqual(policy.policy.report.maxFindings);
        expect(summary).toEqual({ ...report.summary, findingsLeftOut: wrong.length - told.length });
        expect(Object.keys(checks)).toEqual(Object.keys(report.checks));
      }),
      300,
    );
  });

  test('becomes any other by one patch within the limits, whatever was lost or refused in between', () => {
    const step = fc.record({
      report: anyReport,
      policy: anyInForce,
      fate: fc.constantFrom('taken', 'refused', 'lost', 'answer lost'),
    });
    holds(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
        let held: Properties = firstVersion({});
        const outbox = createOutbox(() => 0);
        const send = (fate: string) => {
          const next = outbox.next();
          expect(next).not.toHaveProperty('problems');
          if (!('patch' in next)) return;
          expect(patchProblem(JSON.parse(JSON.stringify(next.patch)))).toBeUndefined();
          if (fate === 'refused') return outbox.rejected();
          if (fate === 'lost') return;
          held = patched(held, JSON.parse(JSON.stringify(next.patch)));
          // Whoever gets no answer begins a new session, and reads what is held.
          if (fate === 'answer lost') return outbox.setAcknowledged(held.values);
          outbox.accepted(next.patch);
        };
        for (const { report, policy, fate } of steps) {
          const properties = render(report, policy);
          outbox.report({ ...properties }, 0, true);
          send(fate);
          send('taken');
          expect(held.values).toEqual(asHeld(properties));
          expect(totalProblem(held.values)).toBeUndefined();
          expect(outbox.next()).toEqual({ idleMs: Number.POSITIVE_INFINITY });
        }
      }),
      150,
    );
  });
});
