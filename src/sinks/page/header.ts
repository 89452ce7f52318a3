import type { Status } from '../../check.ts';
import type { Report } from '../../run/report.ts';
import { escapeMarkup } from '../escape.ts';
import { badge, statusNames } from './parts.ts';

const headlines = {
  pass: 'No problems found',
  warn: 'Needs attention',
  fail: 'Action required',
  unknown: 'Some checks are inconclusive',
  skip: 'Nothing was checked',
} satisfies Record<Status, string>;

/** The device, its worst status, the number of checks with each status, and notices about the policy. */
export const renderHeader = (report: Report, device: string | undefined): string =>
  `<header class="${report.summary.status}">
<p class="device">${escapeMarkup(device ?? 'This device')}</p>
<h1>${badge(report.summary.status)} ${headline(report)}</h1>
<p class="counts">${counts(report)}</p>
</header>
${notices(report)}`;

const headline = ({ checks, summary }: Report): string =>
  Object.keys(checks).length === 0 ? 'First run in progress' : headlines[summary.status];

const counts = ({ summary }: Report): string =>
  (['fail', 'warn', 'unknown', 'pass', 'skip'] as const)
    .filter((status) => summary[status] > 0)
    .map((status) => `<span class="${status}">${summary[status]} ${statusNames[status].toLowerCase()}</span>`)
    .join(' ');

function notices({ policy }: Report): string {
  const note = policy.note ? `<p class="notice">${escapeMarkup(policy.note)}</p>` : '';
  if (policy.accepted) return note;
  const problems = policy.problems.map((problem) => `<li>${escapeMarkup(problem)}</li>`).join('');
  return `${note}<div class="notice fail"><p>Policy version ${policy.version} was rejected; the previous policy stays in force.</p><ul>${problems}</ul></div>`;
}
