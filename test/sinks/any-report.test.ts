import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchProblem, totalProblem } from '../../simulator/edge-hub/limits.ts';
import { firstVersion, type Properties, patched } from '../../simulator/edge-hub/twin.ts';
import { statuses } from '../../src/check.ts';
import { limitProblems } from '../../src/hub/limits.ts';
import { createOutbox } from '../../src/hub/reports/outbox.ts';
import { reportedKeys, reportedProperties } from '../../src/sinks/reported.ts';
import { anyInForce, anyReport } from '../support/fixtures/arbitrary-report.ts';
import { checkProperty } from '../support/properties.ts';

/** As the hub stores it: JSON without nulls. */
const asStored = (properties: object) => firstVersion(JSON.parse(JSON.stringify(properties))).values;

const render = (
  report: Parameters<typeof reportedProperties>[0],
  policy: Parameters<typeof reportedProperties>[1],
) => reportedProperties(report, policy, true, '2026-11-21T20:00:00.000Z', undefined);

const order: readonly string[] = statuses;

describe('any report under any policy', { timeout: 60_000 }, () => {
  test('fits into 16 KB and the limits of IoT Hub, both as checked here and by the simulator', () => {
    checkProperty(
      fc.property(anyReport, anyInForce, (report, policy) => {
        const properties = render(report, policy);
        expect(Buffer.byteLength(JSON.stringify(properties))).toBeLessThanOrEqual(16_384);
        expect(limitProblems({ ...properties })).toEqual([]);
        expect(patchProblem(asStored(properties)) ?? totalProblem(asStored(properties))).toBeUndefined();
      }),
      300,
    );
  });

  test('includes the worst findings, as many as the policy allows and as fit, and the number left out', () => {
    checkProperty(
      fc.property(anyReport, anyInForce, (report, policy) => {
        const { summary, checks = {} } = render(report, policy);
        const rank = ({ status }: { status: string }) => order.indexOf(status);
        const problems = Object.values(report.checks)
          .flatMap(({ findings }) => findings)
          .filter(({ status }) => status !== 'pass' && status !== 'skip')
          .map(rank)
          .toSorted((a, b) => b - a);
        const included = Object.values(checks)
          .flatMap(({ findings }) => findings)
          .map(rank)
          .toSorted((a, b) => b - a);
        expect(included).toEqual(problems.slice(0, included.length));
        expect(included.length).toBeLessThanOrEqual(policy.policy.report.maxFindings);
        expect(summary).toEqual({ ...report.summary, findingsLeftOut: problems.length - included.length });
        expect(Object.keys(checks)).toEqual(Object.keys(report.checks));
      }),
      300,
    );
  });

  test('turns into any other by one patch within the limits, even after lost and rejected patches', () => {
    const step = fc.record({
      report: anyReport,
      policy: anyInForce,
      fate: fc.constantFrom('accepted', 'rejected', 'lost', 'response lost'),
    });
    checkProperty(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
        let stored: Properties = firstVersion({});
        const outbox = createOutbox({ now: () => 0, keys: reportedKeys });
        const send = (fate: string) => {
          const next = outbox.next();
          expect(next).not.toHaveProperty('problems');
          if (!('patch' in next)) return;
          expect(patchProblem(JSON.parse(JSON.stringify(next.patch)))).toBeUndefined();
          if (fate === 'rejected') return outbox.rejected();
          if (fate === 'lost') return;
          stored = patched(stored, JSON.parse(JSON.stringify(next.patch)));
          // Without a response, a new session reads the stored properties.
          if (fate === 'response lost') return void outbox.read(stored.values);
          outbox.accepted(next.patch);
        };
        for (const { report, policy, fate } of steps) {
          const properties = render(report, policy);
          outbox.report({ ...properties }, 0, true);
          send(fate);
          send('accepted');
          expect(stored.values).toEqual(asStored(properties));
          expect(totalProblem(stored.values)).toBeUndefined();
          expect(outbox.next()).toEqual({ idleMs: Number.POSITIVE_INFINITY });
        }
      }),
      150,
    );
  });
});
