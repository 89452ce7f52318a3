import fc from 'fast-check';
import { statuses } from '../../src/check.ts';
import { checks } from '../../src/checks/index.ts';
import type { PolicyInForce } from '../../src/policy/in-force.ts';
import type { Report } from '../../src/run/report.ts';
import { anyText } from './properties.ts';
import { checkReport, inForce, reportOf } from './sample-report.ts';

const moment = fc
  .nat(10_000_000)
  .map((seconds) => new Date(1_790_000_000_000 + seconds * 1000).toISOString());

const finding = fc.record({
  target: anyText,
  status: fc.constantFrom(...statuses),
  reason: fc.constantFrom('space_low', 'timed_out'),
  message: anyText,
  remedy: anyText,
  since: moment,
});

/** Any report over the registered checks: some missing, some without findings, some with very many. */
export const anyReport: fc.Arbitrary<Report> = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom(...checks.map(({ id }) => id)),
      fc.oneof(
        { weight: 4, arbitrary: fc.array(finding, { maxLength: 4 }) },
        fc.array(finding, { maxLength: 60 }),
      ),
    ),
    { selector: ([id]) => id },
  )
  .map((entries) =>
    reportOf(Object.fromEntries(entries.map(([id, findings]) => [id, checkReport(id, findings)]))),
  );

const document = fc.oneof(
  fc.record({ note: fc.string({ maxLength: 200 }) }),
  fc.record({
    exceptions: fc.array(fc.record({ target: anyText, because: fc.string({ maxLength: 500 }) }), {
      maxLength: 30,
    }),
  }),
  fc.record({ checks: fc.record({ diskSpace: fc.record({ paths: fc.array(anyText, { maxLength: 3 }) }) }) }),
);

/** Any policy in force, accepted or with any problems of a rejected one. */
export const anyInForce: fc.Arbitrary<PolicyInForce> = fc
  .record({
    source: fc.constantFrom('twin', 'file', 'saved', 'default'),
    version: fc.nat(),
    accepted: fc.boolean(),
    problems: fc.array(anyText, { maxLength: 5 }),
    document,
    maxFindings: fc.integer({ min: 1, max: 100 }),
  })
  .map(({ maxFindings, ...change }) => {
    const { policy } = inForce();
    return inForce({ ...change, policy: { ...policy, report: { ...policy.report, maxFindings } } });
  });
