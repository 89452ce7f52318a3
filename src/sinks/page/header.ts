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
  `<header class="${shownStatus(report)}">
<p class="device">${escapeMarkup(device ?? 'This device')}</p>
<h1>${badge(shownStatus(report))} ${headline(report)}</h1>
<p class="counts">${counts(report)}</p>
</header>
${notices(report)}`;

/** The status that the page may show: nothing passes before every check has run. */
export const shownStatus = ({ summary }: Report): Status =>
  summary.pending.length > 0 && summary.status === 'pass' ? 'unknown' : summary.status;

/** One sentence for the heading and for the tab. */
export function headline({ summary }: Report): string {
  const { status, pending, problems } = summary;
  if (problems > 0) return `${headlines[status]}: ${problems} ${problems === 1 ? 'problem' : 'problems'}`;
  return pending.length > 0 ? 'First run in progress' : headlines[status];
}

const counts = ({ summary }: Report): string =>
  [
    ...(['fail', 'warn', 'unknown', 'pass', 'skip'] as const)
      .filter((status) => summary[status] > 0)
      .map(
        (status) => `<span class="${status}">${summary[status]} ${statusNames[status].toLowerCase()}</span>`,
      ),
    ...(summary.pending.length > 0 ? [`<span>${summary.pending.length} not run yet</span>`] : []),
  ].join(' ');

/** What is wrong with the connection to edgeHub, in sentences; empty where nothing is. */
function hubNotice({ hub, hubProblem }: Report['agent']): string {
  const problem = hubProblem ? `${hubProblem.replace(/\.$/, '')}. ` : '';
  if (hub === 'connecting') return `Connecting to edgeHub. ${problem}Reports and alerts wait on this device.`;
  if (hub === 'offline') return `No connection to edgeHub. ${problem}Reports and alerts wait on this device.`;
  return problem;
}

function notices({ agent, policy }: Report): string {
  const note = policy.note ? `<p class="notice">${escapeMarkup(policy.note)}</p>` : '';
  const hubText = hubNotice(agent);
  const hub = hubText ? `<p class="notice warn">${escapeMarkup(hubText)}</p>` : '';
  if (policy.accepted) return note + hub;
  const problems = policy.problems.map((problem) => `<li>${escapeMarkup(problem)}</li>`).join('');
  const which = policy.version > 0 ? `Policy version ${policy.version}` : 'The policy file';
  return `${note}${hub}<div class="notice fail"><p>${which} was refused; the previous policy stays in force.</p><ul>${problems}</ul></div>`;
}
