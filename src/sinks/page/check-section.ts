import type { Reading } from '../../check.ts';
import type { ConfirmedFinding } from '../../run/confirm.ts';
import { type CheckReport, worstFirst } from '../../run/report.ts';
import { escapeMarkup } from '../escape.ts';
import { describeValue } from '../reading-format.ts';
import { badge, span, statusNames } from './parts.ts';

/** One check: problems first, then what could not be examined, then what passes; the last two folded if there are problems. */
export function renderCheck(id: string, check: CheckReport, now: string): string {
  const findings = worstFirst(check.findings);
  const problems = findings.filter(({ status }) => status !== 'pass' && status !== 'skip');
  const skipped = findings.filter(({ status }) => status === 'skip');
  const passing = findings.filter(({ status }) => status === 'pass');
  const fold = (some: readonly ConfirmedFinding[], what: string) =>
    problems.length > 0 && some.length > 0
      ? `<details><summary>${some.length} ${what}</summary>${list(some, now)}</details>`
      : list(some, now);
  const rest = fold(skipped, 'not examined or excepted') + fold(passing, 'without problems');
  return `<section class="${check.status}" id="${escapeMarkup(id)}">
<h2>${badge(check.status)} ${escapeMarkup(check.title)}</h2>
<p class="meta">${escapeMarkup(id)}, checked ${span(check.lastRun, now)} ago, ${statusNames[check.status].toLowerCase()} for ${span(check.since, now)}</p>
${list(problems, now)}${rest}
</section>`;
}

const list = (findings: readonly ConfirmedFinding[], now: string): string =>
  findings.length === 0
    ? ''
    : `<ul class="findings">${findings.map((each) => finding(each, now)).join('')}</ul>`;

function finding(
  { target, status, reason, message, remedy, controls = [], since, readings }: ConfirmedFinding,
  now: string,
): string {
  const details = [reason, `for ${span(since, now)}`, ...controls].filter(Boolean).join(', ');
  return `<li class="${status}">
<p class="target">${badge(status)} <code>${escapeMarkup(target)}</code> <span class="meta">${escapeMarkup(details)}</span></p>
<p>${escapeMarkup(message)}</p>${remedy ? `<p class="remedy"><b>Next:</b> ${withCommands(remedy)}</p>` : ''}${table(readings)}</li>`;
}

/** Marks up the commands of a remedy, which are between backticks. */
const withCommands = (remedy: string): string =>
  escapeMarkup(remedy).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

function table(readings: readonly Reading[] = []): string {
  if (readings.length === 0) return '';
  const rows = readings.map((reading) => {
    const { gauge, labels, value } = reading;
    const label = Object.values(labels ?? {}).join(', ');
    return `<tr><td>${escapeMarkup(gauge)}${label ? ` <span class="meta">${escapeMarkup(label)}</span>` : ''}</td><td title="${value}">${describeValue(reading)}</td></tr>`;
  });
  return `<details class="readings"><summary>Readings</summary><table>${rows.join('')}</table></details>`;
}
