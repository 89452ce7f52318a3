import { expect, test } from 'vitest';
import { z } from 'zod';
import { checks } from '../../src/checks/index.ts';
import { statusNumbers } from '../../src/sinks/metrics.ts';
import { createDevice, type RunningAgent, soon } from '../support/device.ts';
import { collectorAccepts, samplesOf } from '../support/exposition.ts';
import { reportShape } from '../support/report-shape.ts';

/** The checks that the policy of `createDevice` switches on. */
const watchedChecks = ['clockDrift', 'certificateExpiry', 'diskSpace', 'outboundReachability'];

const reportOf = async ({ get }: RunningAgent) =>
  reportShape.parse(JSON.parse((await get('/api/report')).body));
const samples = async ({ get }: RunningAgent) => samplesOf((await get('/metrics')).body);
const metric = async (agent: RunningAgent, name: string) =>
  (await samples(agent)).find((sample) => sample.name === name)?.value;

/** A device whose agent has a policy in force, has run every check and has told the twin. */
async function watched() {
  const device = await createDevice();
  const agent = await device.start();
  await soon(() => agent.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });
  await soon(device.reported).toMatchObject({ policy: { ac: 200 }, summary: { status: 'fail' } });
  return { ...device, agent };
}

test('report, twin, metrics and page give the same verdicts', async () => {
  const { agent, reported, simulator } = await watched();
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
    const told = findings
      .filter(({ status }) => status !== 'pass' && status !== 'skip')
      .map(({ readings: _, ...rest }) => rest);
    expect(twin.checks?.[id]).toEqual({ status, since, findings: told });
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

  const asked = await simulator.admin('POST', '/methods/getReport', {});
  const { payload } = z.object({ status: z.literal(200), payload: reportShape }).parse(asked.body);
  expect(payload.checks).toEqual(report.checks);
});

/** Keeps samples of some checks and of none, and the help of gauges that belong to those checks. */
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

test('the metrics page has the names and labels of its golden copy', async () => {
  const { agent, folder, simulator, closed } = await watched();
  const page = (await agent.get('/metrics')).body;
  expect(page.split('\n').filter((line) => !collectorAccepts(line))).toEqual([]);

  const normal = page
    .split('\n')
    // Not every filesystem counts its inodes.
    .filter((line) => !/^hardening_filesystem_files(_free)?\{/.test(line))
    // The golden copy is about the checks that are switched on here, however many others there are.
    .filter(isAbout(watchedChecks))
    .map((line) => (line.startsWith('#') ? line : line.replace(/ [^ ]+$/, '')))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .replaceAll(folder, '/FOLDER')
    .replaceAll(`localhost:${simulator.hubPort}`, 'localhost:HUB')
    .replaceAll(`127.0.0.1:${closed.tcp}`, '127.0.0.1:CLOSED')
    .replace(/source="127\.0\.0\.1:\d+"/g, 'source="127.0.0.1:TIME"')
    .replace(/instance_number="[^"]+"/, 'instance_number="INSTANCE"')
    .replace(/version="[^"]+",revision="[^"]+"/, 'version="VERSION",revision="REVISION"');
  await expect(normal).toMatchFileSnapshot('../golden/e2e-metrics.txt');
});

test('the metrics count the patches that edgeHub has accepted, and their bytes', async () => {
  const { agent, desire, simulator } = await watched();
  await desire({ policy: { note: 'ours' } });
  await soon(() => simulator.edgeHub.twin().reported).toMatchObject({ policy: { value: { note: 'ours' } } });
  // The twin's versions begin with 1, and each accepted patch raises the version by one.
  const accepted = () => Number(simulator.edgeHub.twin().reported.$version) - 1;
  const patches = async () => Number(await metric(agent, 'hardening_twin_patches_total'));
  await soon(async () => (await patches()) - accepted()).toBe(0);
  expect(accepted()).toBeGreaterThan(1);
  expect(Number(await metric(agent, 'hardening_twin_patch_bytes_total'))).toBeGreaterThan(100 * accepted());
});

test('a threshold changed in the twin changes the verdict and is acknowledged with its version', async () => {
  const { agent, desire, reported } = await watched();
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

test('a change of verdict is a message on the output alerts', async () => {
  const { desire, simulator } = await watched();
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

test('a bad policy is refused with path and reason, and the last good one goes on', async () => {
  const { agent, desire, reported } = await watched();
  const good = (await reported()).policy?.value;
  const version = await desire({
    policy: { checks: { diskSpace: { warnUsedPercent: 'much', pahts: ['/'] } } },
  });
  await soon(reported).toMatchObject({ policy: { ac: 400, av: version } });
  const { policy } = await reported();
  expect(policy?.ad).toContain('checks.diskSpace.warnUsedPercent: ');
  expect(policy?.ad).toContain('checks.diskSpace.pahts: unknown key, did you mean paths?');
  expect(policy?.value).toEqual(good);
  expect(await metric(agent, 'hardening_policy_accepted')).toBe('0');
  expect((await agent.get('/')).body).toContain(`Policy version ${version} was rejected`);
  expect(await reportOf(agent)).toMatchObject({
    policy: { source: 'twin', version, accepted: false },
    checks: { diskSpace: { status: 'pass' }, outboundReachability: { status: 'fail' } },
  });

  const mended = await desire({ policy: { checks: { diskSpace: { warnUsedPercent: 0, pahts: null } } } });
  await soon(reported).toMatchObject({
    policy: { ac: 200, av: mended },
    checks: { diskSpace: { status: 'warn' } },
  });
  expect(await metric(agent, 'hardening_policy_accepted')).toBe('1');
});

test('a policy that is taken out of the twin is no longer followed', async () => {
  const { agent, desire, reported } = await watched();
  await desire({ policy: null });
  await soon(reported).toMatchObject({
    policy: { ac: 203, av: 0 },
    summary: { status: 'skip', skip: checks.length, fail: 0 },
    checks: { outboundReachability: { status: 'skip', findings: [] } },
  });
  expect(await reportOf(agent)).toMatchObject({ policy: { source: 'file', version: 0, note: 'fallback' } });
  expect((await samples(agent)).filter(({ name }) => name === 'hardening_outbound_success')).toEqual([]);
});
