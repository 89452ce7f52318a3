import type { Reading, Status } from '../../check.ts';
import type { ConfirmedFinding } from '../../run/confirm.ts';
import { type CheckReport, type Report, worstFirst } from '../../run/report.ts';
import { escapeMarkup } from '../escape.ts';
import { symbols } from '../symbols.ts';
import { style } from './style.ts';

/** What the page says beside the report. */
export interface PageContext {
  /** The device and the module, as far as they are known. */
  readonly device: string | undefined;
  readonly refreshSeconds: number;
}

const words = {
  pass: 'Pass',
  warn: 'Warning',
  fail: 'Fail',
  unknown: 'Unknown',
  skip: 'Skipped',
} satisfies Record<Status, string>;

/** The status page: one self-contained HTML document, readable without scripts, on a phone and on paper. */
export function renderPage(report: Report, { device, refreshSeconds }: PageContext): string {
  const checks = worstFirst(Object.entries(report.checks).map(([id, check]) => ({ id, ...check })));
  const title = `${words[report.summary.status]} - ${device ?? 'this device'}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<style>${style}</style>
</head>
<body>
<header class="${report.summary.status}">
<p class="device">${escapeMarkup(device ?? 'This device')}</p>
<h1>${badge(report.summary.status)} ${headline(report)}</h1>
<p class="counts">${counts(report)}</p>
</header>
${notices(report)}
<main>
${checks.map((check) => section(check.id, check, report.generatedAt)).join('\n')}
${checks.length === 0 ? '<p>The first run is under way.</p>' : ''}
</main>
<footer>
<dl>
${fact('Policy', policyWords(report))}
${fact('IoT Edge hub', hubWords[report.agent.hub])}
${fact('Agent', `eflow-hardening ${report.agent.version}, running for ${span(report.agent.startedAt, report.generatedAt)}`)}
${fact('This page', `${moment(report.generatedAt)}, renewed every ${refreshSeconds} s`)}
</dl>
<nav><a href="/metrics">Metrics</a> <a href="/api/report">Report as JSON</a></nav>
</footer>
</body>
</html>
`;
}

const headlines = {
  pass: 'All is well',
  warn: 'Needs attention',
  fail: 'Something is wrong',
  unknown: 'Not everything could be determined',
  skip: 'Nothing was checked',
} satisfies Record<Status, string>;

const headline = ({ checks, summary }: Report): string =>
  Object.keys(checks).length === 0 ? 'Looking for the first time' : headlines[summary.status];

const counts = ({ summary }: Report): string =>
  (['fail', 'warn', 'unknown', 'pass', 'skip'] as const)
    .filter((status) => summary[status] > 0)
    .map((status) => `<span class="${status}">${summary[status]} ${words[status].toLowerCase()}</span>`)
    .join(' ');

function notices({ policy }: Report): string {
  const note = policy.note ? `<p class="notice">${escapeMarkup(policy.note)}</p>` : '';
  if (policy.accepted) return note;
  const problems = policy.problems.map((problem) => `<li>${escapeMarkup(problem)}</li>`).join('');
  return `${note}<div class="notice fail"><p>Policy version ${policy.version} was not accepted; the earlier one stays in force.</p><ul>${problems}</ul></div>`;
}

function section(id: string, check: CheckReport, now: string): string {
  const findings = worstFirst(check.findings);
  const open = findings.filter(({ status }) => status !== 'pass' && status !== 'skip');
  const quiet = findings.filter(({ status }) => status === 'pass' || status === 'skip');
  const rest =
    open.length > 0 && quiet.length > 0
      ? `<details><summary>${quiet.length} more without a problem</summary>${list(quiet, now)}</details>`
      : list(quiet, now);
  return `<section class="${check.status}" id="${escapeMarkup(id)}">
<h2>${badge(check.status)} ${escapeMarkup(check.title)}</h2>
<p class="meta">${escapeMarkup(id)}, looked at ${span(check.lastRun, now)} ago, ${words[check.status].toLowerCase()} for ${span(check.since, now)}</p>
${open.length > 0 ? list(open, now) : ''}${rest}
</section>`;
}

const list = (findings: readonly ConfirmedFinding[], now: string): string =>
  findings.length === 0
    ? ''
    : `<ul class="findings">${findings.map((each) => item(each, now)).join('')}</ul>`;

function item(
  { target, status, reason, message, remedy, since, readings }: ConfirmedFinding,
  now: string,
): string {
  const about = [reason, `for ${span(since, now)}`].filter(Boolean).join(', ');
  return `<li class="${status}">
<p class="target">${badge(status)} <code>${escapeMarkup(target)}</code> <span class="meta">${escapeMarkup(about)}</span></p>
<p>${escapeMarkup(message)}</p>${remedy ? `<p class="remedy"><b>Next:</b> ${withCommands(remedy)}</p>` : ''}${table(readings)}</li>`;
}

/** Remedies have commands between backticks. */
const withCommands = (remedy: string): string =>
  escapeMarkup(remedy).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

function table(readings: readonly Reading[] = []): string {
  if (readings.length === 0) return '';
  const rows = readings.map(({ gauge, labels, value }) => {
    const label = Object.values(labels ?? {}).join(', ');
    return `<tr><td>${escapeMarkup(gauge)}${label ? ` <span class="meta">${escapeMarkup(label)}</span>` : ''}</td><td>${value}</td></tr>`;
  });
  return `<details class="readings"><summary>Readings</summary><table>${rows.join('')}</table></details>`;
}

const hubWords = {
  connected: 'connected',
  connecting: 'connecting',
  offline: 'offline; checks go on, the report is sent when the hub is back',
  none: 'none, running on its own',
} satisfies Record<Report['agent']['hub'], string>;

const policySources = {
  twin: 'from the module twin',
  file: 'from a file',
  saved: 'saved from the module twin; the hub has not been reached yet',
  default: 'the built-in defaults',
} satisfies Record<Report['policy']['source'], string>;

const policyWords = ({ policy }: Report): string =>
  `${policySources[policy.source]}${policy.version > 0 ? `, version ${policy.version}` : ''}`;

const fact = (name: string, value: string): string =>
  `<div><dt>${name}</dt><dd>${escapeMarkup(value)}</dd></div>`;

const badge = (status: Status): string =>
  `<span class="badge ${status}" role="img" aria-label="${words[status]}">${symbols[status]}</span>`;

const moment = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;

/** The time between two moments in its largest unit: `4 min`, `3 h`, `12 days`. */
function span(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
