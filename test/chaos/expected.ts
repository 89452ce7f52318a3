import { z } from 'zod';
import type { JsonObject } from '../../simulator/json.ts';
import { checks } from '../../src/checks/index.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import type { Report } from '../../src/run/report.ts';
import { reportedProperties } from '../../src/sinks/reported.ts';
import { reportShape } from '../support/report-shape.ts';

const given = z.looseObject({
  policy: z.looseObject({ value: z.unknown() }),
  heartbeat: z.string(),
});

/**
 * The reported properties that a report of the agent's own page renders to, for a policy document in force. Numbers in
 * sentences are left out: those of a finding that stays are told once.
 */
export function expected(body: string, document: unknown): unknown {
  const report = reportShape.parse(JSON.parse(body)) as Report;
  const outcome = readPolicy(document, checks);
  if (!outcome.accepted) throw new Error(outcome.problems.join('; '));
  const { policy } = outcome;
  const inForce = { ...report.policy, policy, document, acceptedAt: new Date(0) };
  return comparable({ ...reportedProperties(report, inForce, true, '', undefined) });
}

/** What a report says of the policy. */
export const policyOf = (body: string) => reportShape.parse(JSON.parse(body)).policy;

/** The policy that the twin says to be in force; undefined while there is no whole report. */
export const documentInForce = (reported: JsonObject): unknown =>
  given.safeParse(reported).data?.policy.value;

/** A document without its moments of sending, and its sentences without their numbers. */
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
