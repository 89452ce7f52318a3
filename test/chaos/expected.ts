import { z } from 'zod';
import type { JsonObject } from '../../simulator/json.ts';
import { checks } from '../../src/checks/index.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import type { Report } from '../../src/run/report.ts';
import { reportedProperties } from '../../src/sinks/reported.ts';
import { reportShape } from '../support/report-shape.ts';

const reportedShape = z.looseObject({
  policy: z.looseObject({ value: z.unknown() }),
  heartbeat: z.string(),
});

/**
 * The reported properties for a body of /api/report and the policy document in force. Numbers in messages are masked:
 * the twin keeps the message of a finding's first report while its status stays the same.
 */
export function expectedReported(body: string, document: unknown): unknown {
  const report = reportShape.parse(JSON.parse(body)) as Report;
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) throw new Error(outcome.problems.join('; '));
  const { policy } = outcome;
  const inForce = {
    ...report.policy,
    policy,
    document,
    acceptedAt: new Date(0),
    warnings: report.policy.accepted ? outcome.warnings : [],
  };
  return comparable({ ...reportedProperties(report, inForce, true, '', undefined) });
}

/** The policy state in a body of /api/report. */
export const policyStateOf = (body: string) => reportShape.parse(JSON.parse(body)).policy;

/** The policy document in force by the reported properties; undefined until they are complete. */
export const policyInForce = (reported: JsonObject): unknown =>
  reportedShape.safeParse(reported).data?.policy.value;

/** Reported properties without version and heartbeat, and with the numbers in sentences masked. */
export function comparable(reported: object): unknown {
  const { $version, heartbeat, ...rest } = { $version: 0, heartbeat: '', ...reported };
  return JSON.parse(
    JSON.stringify(rest, (key, value: unknown) =>
      typeof value === 'string' && ['message', 'remedy'].includes(key)
        ? value.replaceAll(/\d+(\.\d+)?/g, 'N')
        : value,
    ),
  );
}
