import { expect, test } from 'vitest';
import { z } from 'zod';
import { checks } from '../../src/checks/index.ts';
import { statusNumbers } from '../../src/sinks/metrics.ts';
import { collectorAccepts, samplesOf } from '../support/exposition.ts';
import { createDevice, type RunningAgent, soon } from '../support/programs/device.ts';
import { reportShape } from '../support/report-shape.ts';

/** The checks that the policy of `createDevice` enables. */
const enabledChecks = ['clockDrift', 'certificateExpiry', 'diskSpace', 'outboundReachability'];

const reportOf = async ({ get }: RunningAgent) =>
  reportShape.parse(JSON.parse((await get('/api/report')).body));
const samples = async ({ get }: RunningAgent) => samplesOf((await get('/metrics')).body);
const metric = async (agent: RunningAgent, name: string) =>
  (await samples(agent)).find((sample) => sample.name === name)?.value;

/** A device whose agent has accepted its policy, run every check and reported to the twin. */
async function startReportedDevice() {
  const device = await createDevice();
  const agent = await device.start();
  await soon(() => agent.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  await soon(device.reported).toMatchObject({ policy: { ac: 200 }, summary: { status: 'fail' } });
  return { ...device, agent };
}

test('report, twin, metrics and page show the same statuses', async () => {
  const { agent, reported, simulator } = await startReportedDevice();
  const report = await reportOf(agent);
  expect(Object.keys(report.checks)).toEqual(checks.map(({ id }) => id));
  expect(report.checks).toMatchObject({
    clockDrift: { status: 'pass' },
    certificateExpiry: { status: 'warn' },
    diskSpace: { status: 'pass' },
    outboundReachability: { status: 'fail' },
  });
  expect(report).toMatchObject({
    agent: { mode: 'edge', hub: 'connected' },
    policy: { source: 'twin', version: 2, accepted: true },
    summary: { status: 'fail', pass: 2, warn: 1, fail: 1, unknown: 0, skip: checks.length - 4 },
  });

  const twin = await reported();
  expect(twin.summary).toEqual({ ...report.summary, findingsLeftOut: 0 });
  for (const [id, { status, since, findings }] of Object.entries(report.checks)) {
    const reportedFindings = findings
      .filter(({ status }) => status !== 'pass' && status !== 'skip')
      .map(({ readings: _, ...rest }) => rest);
    expect(twin.checks?.[id]).toEqual({ status, since, findings: reportedFindings });
  }

  const page = (await agent.get('/')).body;
  const all = await samples(agent);
  for (const [check, { status, title, findings }] of Object.entries(report.checks)) {
    expect(all).toContainEqual({
      name: 'hardening_check_status',
      labels: { check },
      value: String(statusNumbers[status]),
    });
    expect(page).toContain(`<section class="${status}" id="${check}">`);
    expect(page).toContain(title);
    for (const { target, status } of findings) {
      const value = String(statusNumbers[status]);
      expect(all).toContainEqual({ name: 'hardening_finding_status', labels: { check, target }, value });
      expect(page).toContain(`<code>${target}</code>`);
    }
  }

  const answer = await simulator.admin('POST', '/methods/getReport', {});
  const { payload } = z.object({ status: z.literal(200), payload: reportShape }).parse(answer.body);
  expect(payload.checks).toEqual(report.checks);
});

/** Whether a line of the metrics page belongs to one of these checks, or to none at all. */
function isAbout(ids: readonly string[]): (line: string) => boolean {
  const others = checks.filter(({ id }) => !ids.includes(id));
  const foreign = others.flatMap(({ gauges = {}, counters = {} }) => [
    ...Object.keys(gauges),
    ...Object.keys(counters),
  ]);
  return (line) => {
    const [, id] = /check="(\w+)"/.exec(line) ?? [];
    const [, name = ''] = /^(?:# (?:HELP|TYPE) )?hardening_(\w+)/.exec(line) ?? [];
    return (id === undefined || ids.includes(id)) && !foreign.includes(name);
  };
}

const isReason = (line: string) => line.startsWith('hardening_finding_reasons_total{');
const checkOf = (line: string) => enabledChecks.indexOf(/check="(\w+)"/.exec(line)?.[1] ?? '');

test('the metrics page has the same names and labels as its golden copy', async () => {
  const { agent, folder, simulator, closed } = await startReportedDevice();
  const page = (await agent.get('/metrics')).body;
  expect(page.split('\n').filter((line) => !collectorAccepts(line))).toEqual([]);

  const normalised = page
    .split('\n')
    // Not every filesystem has an inode count.
    .filter((line) => !/^hardening_filesystem_files(_free)?\{/.test(line))
    // The golden copy holds only the enabled checks, so that it does not change with the registry.
    .filter(isAbout(enabledChecks))
    .map((line) => (line.startsWith('#') ? line : line.replace(/ [^ ]+$/, '')))
    // Reasons are counted in the order in which checks end.
    .sort((a, b) => (isReason(a) && isReason(b) ? checkOf(a) - checkOf(b) : 0))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .replaceAll(folder, '/FOLDER')
    .replaceAll(`localhost:${simulator.hubPort}`, 'localhost:HUB')
    .replaceAll(`127.0.0.1:${closed.tcp}`, '127.0.0.1:CLOSED')
    .replace(/source="127\.0\.0\.1:\d+"/g, 'source="127.0.0.1:TIME"')
    .replace(/instance_number="[^"]+"/, 'instance_number="INSTANCE"')
    .replace(/version="[^"]+",revision="[^"]+"/, 'version="VERSION",revision="REVISION"');
  await expect(normalised).toMatchFileSnapshot('../golden/e2e-metrics.txt');
});

test('the metrics count the patches that edgeHub has accepted, and their bytes', async () => {
  const { agent, desire, simulator } = await startReportedDevice();
  await desire({ policy: { note: 'ours' } });
  await soon(() => simulator.edgeHub.twin().reported).toMatchObject({ policy: { value: { note: 'ours' } } });
  // The twin's versions begin with 1, and each accepted patch raises the version by one.
  const accepted = () => Number(simulator.edgeHub.twin().reported.$version) - 1;
  const patches = async () => Number(await metric(agent, 'hardening_twin_patches_total'));
  await soon(async () => (await patches()) - accepted()).toBe(0);
  expect(accepted()).toBeGreaterThan(1);
  expect(Number(await metric(agent, 'hardening_twin_patch_bytes_total'))).toBeGreaterThan(100 * accepted());
});

test('a threshold changed in the twin changes the status and is acknowledged with its version', async () => {
  const { agent, desire, reported } = await startReportedDevice();
  const version = await desire({ policy: { checks: { diskSpace: { warnUsedPercent: 0 } } } });
  await soon(reported).toMatchObject({
    policy: { ac: 200, av: version, value: { checks: { diskSpace: { warnUsedPercent: 0 } } } },
    checks: { diskSpace: { status: 'warn', findings: [{ target: '/', reason: 'space_low' }] } },
    summary: { warn: 2, pass: 1 },
  });
  expect(await reportOf(agent)).toMatchObject({
    policy: { source: 'twin', version, accepted: true },
    checks: { diskSpace: { status: 'warn' } },
  });
  expect(await metric(agent, 'hardening_policy_version')).toBe(String(version));
});

test('a status change is sent as a message on the output alerts', async () => {
  const { desire, simulator } = await startReportedDevice();
  await desire({ policy: { checks: { diskSpace: { warnUsedPercent: 0 } } } });
  await soon(async () => (await simulator.admin('GET', '/messages')).body).toContainEqual(
    expect.objectContaining({
      output: 'alerts',
      system: expect.objectContaining({ contentType: 'application/json', contentEncoding: 'utf-8' }),
      properties: {
        check: 'diskSpace',
        target: '/',
        status: 'warn',
        previousStatus: 'pass',
        severity: 'warning',
      },
      body: expect.objectContaining({ check: 'diskSpace', target: '/', status: 'warn', reason: 'space_low' }),
    }),
  );
});

test('a misspelt desired property is named in the acknowledgement and in the log', async () => {
  const { start, reported, desire } = await createDevice();
  await desire({ policy: null, polcy: { note: 'ours' } });
  const agent = await start();
  const warning = 'Unknown desired properties are ignored: polcy, did you mean policy?';
  await soon(reported).toMatchObject({ policy: { ac: 203, av: 0, ad: expect.stringContaining(warning) } });
  expect(agent.out()).toContain(warning);
});

test('a policy that would exhaust memory or flood the log is refused, and the agent goes on', async () => {
  const { start, reported, desire } = await createDevice();
  const agent = await start();
  await soon(reported).toMatchObject({ policy: { ac: 200 } });
  const attacks: [object, string][] = [
    [{ schedule: '0-9999999 * * * *' }, 'schedule: not a cron expression'],
    [{ schedule: '0 0 30 2 *' }, 'day 30 of month 2 never occurs'],
    [
      { schedule: null, ...Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, i])) },
      'key0: unknown key',
    ],
  ];
  for (const [policy, problem] of attacks) {
    const version = await desire({ policy });
    await soon(reported).toMatchObject({
      policy: { ac: 400, av: version, ad: expect.stringContaining(problem) },
    });
  }
  expect((await agent.get('/healthz')).status).toBe(200);
  const { problems } = JSON.parse((await agent.get('/api/report')).body).policy;
  expect(problems).toHaveLength(21);
});

test('an invalid policy is rejected with path and reason, and the last valid one stays in force', async () => {
  const { agent, desire, reported } = await startReportedDevice();
  const valid = (await reported()).policy?.value;
  const version = await desire({
    policy: { checks: { diskSpace: { warnUsedPercent: 'much', pahts: ['/'] } } },
  });
  await soon(reported).toMatchObject({ policy: { ac: 400, av: version } });
  const { policy } = await reported();
  expect(policy?.ad).toContain('checks.diskSpace.warnUsedPercent must be a number from 0 to 100, got "much"');
  expect(policy?.ad).toContain('checks.diskSpace.pahts: unknown key, did you mean paths?');
  expect(policy?.value).toEqual(valid);
  expect(await metric(agent, 'hardening_policy_accepted')).toBe('0');
  expect((await agent.get('/')).body).toContain(`Policy version ${version} was refused`);
  expect(await reportOf(agent)).toMatchObject({
    policy: { source: 'twin', version, accepted: false },
    checks: { diskSpace: { status: 'pass' }, outboundReachability: { status: 'fail' } },
  });

  const corrected = await desire({ policy: { checks: { diskSpace: { warnUsedPercent: 0, pahts: null } } } });
  await soon(reported).toMatchObject({
    policy: { ac: 200, av: corrected },
    checks: { diskSpace: { status: 'warn' } },
  });
  expect(await metric(agent, 'hardening_policy_accepted')).toBe('1');
});

test('after the policy is removed from the twin the policy file applies', async () => {
  const { agent, desire, reported } = await startReportedDevice();
  await desire({ policy: null });
  await soon(reported).toMatchObject({
    policy: { ac: 203, av: 0 },
    summary: { status: 'skip', skip: checks.length, fail: 0 },
    checks: { outboundReachability: { status: 'skip', findings: [] } },
  });
  expect(await reportOf(agent)).toMatchObject({ policy: { source: 'file', version: 0, note: 'fallback' } });
  expect((await samples(agent)).filter(({ name }) => name === 'hardening_outbound_success')).toEqual([]);
});
