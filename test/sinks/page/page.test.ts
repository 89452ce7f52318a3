import { describe, expect, test } from 'vitest';
import { type Status, statuses } from '../../../src/check.ts';
import { renderPage } from '../../../src/sinks/page/page.ts';
import {
  checkReport,
  finding,
  findingWithStatus,
  reportOf,
  sampleReport,
} from '../../support/fixtures/sample-report.ts';

const context = { device: 'line-4-gateway', refreshSeconds: 30 };
const page = (report = sampleReport) => renderPage(report, context);

test('a report renders to the golden page', async () => {
  await expect(page()).toMatchFileSnapshot('../../golden/page.html');
});

test('the page is self-contained: no scripts, and no fonts, images or styles from elsewhere', () => {
  const withNote = page({ ...sampleReport, policy: { ...sampleReport.policy, note: 'ours' } });
  expect(withNote).not.toMatch(
    /<script|<link|<img|<iframe|<object|<form|@import|url\(|\bon\w+=|javascript:/i,
  );
  expect([...withNote.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, where]) => where)).toEqual([
    '/metrics',
    '/api/report',
  ]);
});

test('both colour schemes define every colour', () => {
  const [light = '', dark = ''] = page().split('@media (prefers-color-scheme: dark)');
  for (const name of ['back', 'card', 'text', 'soft', 'line', ...statuses]) {
    expect(light).toContain(`--${name}: #`);
    expect(dark).toContain(`--${name}: #`);
  }
  expect(light).toContain('<meta name="color-scheme" content="light dark">');
});

test.each([
  ['pass', 'No problems found', 'Pass'],
  ['warn', 'Needs attention: 1 problem', 'Warning'],
  ['fail', 'Action required: 1 problem', 'Fail'],
  ['unknown', 'Some checks are inconclusive', 'Unknown'],
  ['skip', 'Nothing was checked', 'Skipped'],
] as const)('%s is shown as text, as a shape and in the title', (status, headline, word) => {
  const html = page(reportOf({ diskSpace: checkReport('Space', [findingWithStatus(status, '/')]) }));
  expect(html).toContain(`<title>${headline} - line-4-gateway</title>`);
  expect(html).toContain(`aria-label="${word}"`);
  expect(html).toContain(`</span> ${headline}</h1>`);
  expect(html).toContain(`<section class="${status}" id="diskSpace">`);
});

describe('while checks have not run yet', () => {
  const pending = (status: Status) => {
    const report = reportOf({ diskSpace: checkReport('Space', [findingWithStatus(status, '/')]) });
    return page({ ...report, summary: { ...report.summary, pending: ['clockDrift', 'dnsResolution'] } });
  };

  test('nothing passes', () => {
    const html = pending('pass');
    expect(html).toContain('<title>First run in progress - line-4-gateway</title>');
    expect(html).toContain('<header class="unknown">');
    expect(html).toContain('2 not run yet');
    expect(html).not.toContain('No problems found');
  });

  test('problems already show', () => {
    expect(pending('fail')).toContain('<title>Action required: 1 problem - line-4-gateway</title>');
  });
});

test.each([
  ['connecting', true],
  ['offline', true],
  ['connected', false],
  ['none', false],
] as const)('a hub that is %s is a notice at the top: %s', (hub, shown) => {
  const html = page({ ...sampleReport, agent: { ...sampleReport.agent, hub } });
  expect(html.includes('wait on this device')).toBe(shown);
});

test('the notice about the hub has the cause, also of a connection that works', () => {
  const withProblem = (hub: 'offline' | 'connected', hubProblem: string) =>
    page({ ...sampleReport, agent: { ...sampleReport.agent, hub, hubProblem } });
  expect(withProblem('offline', 'The <certificate> has expired')).toContain(
    'No connection to edgeHub. The &lt;certificate&gt; has expired. Reports and alerts wait on this device.',
  );
  expect(withProblem('connected', 'Connected over WebSocket')).toContain(
    '<p class="notice warn">Connected over WebSocket. </p>',
  );
});

test.each([
  [{ active: 2, over: 1, unused: 3 }, true],
  [{ active: 2, over: 0, unused: 0 }, false],
])('exceptions that have ended or match nothing are counted: %j', (exceptions, shown) => {
  const html = page({ ...sampleReport, policy: { ...sampleReport.policy, exceptions } });
  expect(html.includes('<dd>2 active, 1 ended, 3 matched nothing</dd>')).toBe(shown);
});

test('what could not be examined is folded apart from what passes', () => {
  const findings = (['fail', 'skip', 'pass', 'pass'] as const).map((status, i) =>
    findingWithStatus(status, `/${i}`),
  );
  const html = page(reportOf({ diskSpace: checkReport('Space', findings) }));
  expect(html).toContain('<summary>1 not examined or excepted</summary>');
  expect(html).toContain('<summary>2 without problems</summary>');
});

test('the worst check comes first', () => {
  const html = page();
  const order = ['outboundReachability', 'certificateExpiry', 'diskSpace', 'clockDrift'];
  const places = order.map((id) => html.indexOf(`id="${id}"`));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
});

describe('the policy', () => {
  const { policy } = sampleReport;

  test('is shown with its note', () => {
    expect(page({ ...sampleReport, policy: { ...policy, note: 'Plant 4' } })).toContain(
      '<p class="notice">Plant 4</p>',
    );
  });

  test('is shown as rejected with every problem', () => {
    const problems = ['checks.diskSpace.warn: unknown key', 'schedule: not a cron expression'];
    const html = page({ ...sampleReport, policy: { ...policy, accepted: false, version: 8, problems } });
    expect(html).toContain('Policy version 8 was refused; the previous policy stays in force.');
    for (const problem of problems) expect(html).toContain(`<li>${problem}</li>`);
    expect(html).toContain('from the module twin; version 8 was refused');
  });

  test('from a file has no version when it is refused', () => {
    const refused = { ...policy, source: 'file' as const, version: 0, accepted: false, problems: ['one'] };
    expect(page({ ...sampleReport, policy: refused })).toContain('The policy file was refused');
  });
});

test('hostile text is escaped everywhere', () => {
  const attack = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\``;
  const reading = { gauge: 'g', labels: { subject: attack }, value: 1 };
  const evil = finding({
    target: attack,
    status: 'fail',
    reason: attack,
    message: attack,
    remedy: `${attack} \`${attack}`,
    readings: [reading],
  });
  const { policy } = sampleReport;
  const html = renderPage(
    {
      ...reportOf({ [attack]: checkReport(attack, [evil]) }),
      policy: { ...policy, accepted: false, note: attack, problems: [attack] },
    },
    { ...context, device: attack },
  );
  expect(html).not.toMatch(/<script|<img/);
  expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html.match(/id="([^"]*)"/)?.[1]).toMatch(/^&quot;&gt;&lt;script/);
});

test('a command in a remedy is marked up as code', () => {
  const remedy = 'Run `a < b` and `c`, a lone ` stays.';
  const html = page(
    reportOf({ diskSpace: checkReport('Space', [{ ...findingWithStatus('warn', '/'), remedy }]) }),
  );
  expect(html).toContain('Run <code>a &lt; b</code> and <code>c</code>, a lone ` stays.');
});
