import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { openStateFile } from '../../src/state/state-file.ts';
import { bundled, run } from '../support/programs/bundle.ts';
import { cli, policyFile, policyThatGives } from '../support/programs/cli.ts';
import { reportShape } from '../support/report-shape.ts';
import { unixHttpServer } from '../support/servers/tcp.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { xmlProblems } from '../support/xml.ts';

test.each([
  [[], [], 0],
  [['pass'], [], 0],
  [['warn'], [], 0],
  [['warn'], ['--warnings-as-errors'], 1],
  [['pass'], ['--warnings-as-errors'], 0],
  [['unknown'], [], 2],
  [['unknown', 'warn'], [], 2],
  [['fail'], [], 1],
  [['fail', 'unknown', 'warn'], [], 1],
] as const)('statuses %j with options %j exit with code %i', async (statuses, options, code) => {
  const policy = await policyThatGives(...statuses);
  const result = await cli(['check', '--json', ...options, '--policy', policy]);
  const { checks } = reportShape.parse(JSON.parse(result.out));
  const reported = Object.values(checks).map(({ status }) => status);
  expect(reported.filter((status) => status !== 'skip').toSorted()).toEqual(statuses);
  expect(result).toMatchObject({ code, err: '' });
});

test('--json prints only the report, in the shape that the agent serves', async () => {
  const { out, err } = await cli([
    'check',
    '--json',
    '--policy',
    await policyThatGives('pass', 'fail', 'unknown'),
  ]);
  const report = reportShape.parse(JSON.parse(out));
  expect(Object.keys(report.checks)).toEqual(checks.map(({ id }) => id));
  expect(report).toMatchObject({
    agent: { mode: 'standalone', hub: 'none' },
    policy: { source: 'file', version: 0, accepted: true, problems: [], note: 'of a test' },
    summary: { status: 'fail', pass: 1, warn: 0, fail: 1, unknown: 1, skip: checks.length - 3 },
  });
  expect(err).toBe('');
});

test('runs only the checks named on the command line', async () => {
  const policy = await policyThatGives('pass', 'fail');
  const { code, out } = await cli(['check', 'diskSpace', '--json', '--policy', policy]);
  expect(Object.keys(reportShape.parse(JSON.parse(out)).checks)).toEqual(['diskSpace']);
  expect(code).toBe(0);
});

test('the default output is a table with remedies, and --verbose adds what passes', async () => {
  const policy = await policyThatGives('pass', 'fail');
  const { out } = await cli(['check', '--policy', policy]);
  expect(out).toMatch(/✗ fail {4}outboundReachability: .*\n.*tcp:.*\n.*refused.*\n +Next: Allow/);
  expect(out).not.toContain('Used ');
  expect((await cli(['check', '--verbose', '--policy', policy])).out).toMatch(
    /Used .*\n.*filesystem_size_bytes/,
  );
});

test('the table names the policy file', async () => {
  const policy = await policyThatGives('pass');
  expect((await cli(['check', '--policy', policy])).out).toContain(`\nPolicy: from ${policy}\n`);
  const { out } = await cli(['check', 'diskSpace'], { HARDENING_POLICY_FILE: policy });
  expect(out.trimEnd().split('\n').at(-1)).toBe(`Policy: from ${policy}`);
});

test('a misspelt variable is a warning on standard error', async () => {
  const policy = await policyThatGives('pass');
  const { code, err } = await cli(['check', '--json', '--policy', policy], { HARDENING_POLCY_FILE: '/x' });
  expect(err).toMatch(/^eflow-hardening: .*HARDENING_POLCY_FILE.*HARDENING_POLICY_FILE.*\n$/);
  expect(code).toBe(0);
});

test.each([
  [{ FORCE_COLOR: '1' }, true],
  [{ FORCE_COLOR: '0' }, false],
  [{}, false],
])('without a terminal and with %j the table has colours: %s', async (environment, colours) => {
  const policy = await policyThatGives('pass');
  const { out } = await cli(['check', '--policy', policy], environment);
  expect(out.includes('\u001b[')).toBe(colours);
});

test('--junit writes a file in addition to the table', async () => {
  const file = join(await tempFolder(), 'junit.xml');
  const { out, code } = await cli(['check', '--junit', file, '--policy', await policyThatGives('fail')]);
  const xml = await readFile(file, 'utf8');
  expect(xmlProblems(xml)).toEqual([]);
  expect(xml).toContain('<failure ');
  expect(out).toContain('outboundReachability');
  expect(code).toBe(1);
});

test('--junit - writes to standard output, in place of the table', async () => {
  const folder = await tempFolder();
  const policy = await policyThatGives('fail');
  const line = `cd '${folder}' && ${process.execPath} ${bundled('cli')} check --junit - --policy '${policy}'`;
  const { out, err, ended } = run(['sh', '-c', line], { HARDENING_STATE_DIR: folder });
  expect(await ended).toBe(1);
  expect(xmlProblems(out())).toEqual([]);
  expect(out()).toMatch(/^<\?xml .*<failure .*<\/testsuites>\n$/s);
  expect(err()).toBe('');
  expect(await readdir(folder)).not.toContain('-');
});

test('a JUnit file that cannot be written gives a one-line error, and the table is still printed', async () => {
  const file = join(await tempFolder(), 'missing', 'junit.xml');
  const { out, err, code } = await cli(['check', '--junit', file, '--policy', await policyThatGives('pass')]);
  expect(err).toMatch(
    /^eflow-hardening: Could not write .*missing\/junit\.xml: no such file or directory\n$/,
  );
  expect(out).toContain('diskSpace');
  expect(code).toBe(2);
});

test('a pending engine request does not delay the exit', async () => {
  const socket = join(await tempFolder(), 'engine.sock');
  await unixHttpServer(socket, () => undefined);
  const full = { paths: ['/'], warnUsedPercent: 0, failUsedPercent: 100 };
  const policy = await policyFile({ checks: { diskSpace: full } });
  const startedAt = performance.now();
  const { out } = await cli(['check', 'diskSpace', '--policy', policy], {
    HARDENING_DOCKER_SOCKET: socket,
  });
  expect(out).toContain('WARN');
  // The engine request times out after ten seconds; the check waits for three of them.
  expect(performance.now() - startedAt).toBeLessThan(9000);
});

test('without --policy it uses the policy saved from the twin', async () => {
  const state = await tempFolder();
  const document = JSON.parse(await readFile(await policyThatGives('warn'), 'utf8'));
  const memory = await openStateFile(state);
  memory.set('policy', { version: 7, document });
  await memory.flush();
  const { out } = await cli(['check', '--json'], { HARDENING_STATE_DIR: state });
  expect(reportShape.parse(JSON.parse(out))).toMatchObject({
    policy: { source: 'saved', version: 7 },
    summary: { status: 'warn' },
  });
});

test('as a module, the policy saved from the twin takes precedence over HARDENING_POLICY_FILE', async () => {
  const state = await tempFolder();
  const memory = await openStateFile(state);
  memory.set('policy', {
    version: 7,
    document: JSON.parse(await readFile(await policyThatGives('warn'), 'utf8')),
  });
  await memory.flush();
  const { out } = await cli(['check', '--json'], {
    HARDENING_STATE_DIR: state,
    HARDENING_POLICY_FILE: await policyThatGives('pass'),
    EdgeHubConnectionString: 'HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=a2V5',
  });
  expect(reportShape.parse(JSON.parse(out)).policy).toMatchObject({ source: 'saved', version: 7 });
});

test('without --policy it uses HARDENING_POLICY_FILE', async () => {
  const { out } = await cli(['check', '--json'], { HARDENING_POLICY_FILE: await policyThatGives('warn') });
  expect(reportShape.parse(JSON.parse(out))).toMatchObject({
    policy: { source: 'file' },
    summary: { status: 'warn' },
  });
});
