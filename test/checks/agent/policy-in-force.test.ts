import { expect, test } from 'vitest';
import { policyInForce } from '../../../src/checks/agent/policy-in-force.ts';
import type { PolicyOutcome } from '../../../src/host/agent/types.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

async function findings(outcome: Partial<PolicyOutcome>) {
  const accepted: PolicyOutcome = {
    source: 'twin',
    version: 7,
    accepted: true,
    problems: [],
    exceptions: [],
  };
  const host = fakeHost({ policyOutcome: () => ({ ...accepted, ...outcome }) });
  return (await runCheck(policyInForce, {}, host, 5, signal)).findings;
}

test.each<[Partial<PolicyOutcome>, string]>([
  [{}, 'The policy of the module twin, version 7, is in force'],
  [{ source: 'saved' }, 'The saved policy of the module twin, version 7, is in force'],
  [{ source: 'file', version: 0 }, 'The policy from the policy file is in force'],
  [{ source: 'default', version: 0 }, 'The built-in policy is in force'],
])('an accepted policy passes: %j', async (outcome, message) => {
  expect(await findings(outcome)).toMatchObject([{ target: 'policy', status: 'pass', message }]);
});

test.each<[Partial<PolicyOutcome>, string]>([
  [
    { problems: ['one is wrong'] },
    'Policy version 7 of the module twin was refused (one is wrong); the previous policy of the module twin stays in force',
  ],
  [
    { source: 'default', problems: ['one is wrong', 'two', 'three'] },
    'Policy version 7 of the module twin was refused (one is wrong, and 2 more); the built-in policy stays in force',
  ],
  [
    { source: 'file', version: 0, problems: ['one is wrong'] },
    'The policy file was refused (one is wrong); the previous policy from the policy file stays in force',
  ],
])('a refused policy fails with its first problem: %j', async (outcome, message) => {
  expect(await findings({ accepted: false, ...outcome })).toMatchObject([
    {
      target: 'policy',
      status: 'fail',
      reason: 'not_accepted',
      message,
      remedy: expect.stringContaining('eflow-hardening policy validate'),
    },
  ]);
});

test('while the policy file cannot be read, it is unknown whether the requested policy is in force', async () => {
  const fileProblem = 'Could not read the policy file /etc/policy.json: ENOENT';
  expect(await findings({ source: 'file', version: 0, fileProblem })).toMatchObject([
    {
      target: 'policy',
      status: 'unknown',
      reason: 'unreadable',
      message: `${fileProblem}; its last policy stays in force`,
      remedy: expect.stringContaining('Put the policy file back'),
    },
  ]);
});

test('an exception that has ended is a warning; others are no findings', async () => {
  const exceptions = [
    { check: 'diskSpace', target: '/data', until: '2026-12-31', over: false },
    { check: 'diskSpace', target: '/var/lib', until: '2026-11-20', over: true },
    { check: 'diskSpace', target: '/log', over: false },
  ];
  expect(await findings({ exceptions })).toMatchObject([
    { target: 'policy', status: 'pass' },
    {
      target: 'exception 2',
      status: 'warn',
      reason: 'exception_over',
      message: 'The exception for /var/lib in diskSpace ended on 2026-11-20',
      remedy: expect.stringContaining('later "until"'),
    },
  ]);
});
