import type { Status } from '../check.ts';
import { type Report, worstFirst } from '../run/report.ts';
import { oneLine } from './escape.ts';
import { symbols } from './symbols.ts';

export interface TableOptions {
  readonly colour: boolean;
  /** Adds passing findings, and the reason and readings of each finding. */
  readonly verbose: boolean;
}

const policySources = {
  twin: 'of the module twin',
  file: 'from a file',
  saved: 'saved from the module twin',
  default: 'the built-in defaults',
} satisfies Record<Report['policy']['source'], string>;

const colours = { pass: 32, warn: 33, fail: 31, unknown: 35, skip: 90 } satisfies Record<Status, number>;

/** A report for a terminal: one line per check, followed by its problems and their remedies. */
export function renderTable(report: Report, { colour, verbose }: TableOptions): string {
  const paint = (status: Status, text: string) =>
    colour ? `\u001b[${colours[status]}m${text}\u001b[0m` : text;
  const lines: string[] = [];
  for (const [id, check] of Object.entries(report.checks)) {
    const seconds = verbose ? ` (${check.durationSeconds.toFixed(2)} s)` : '';
    lines.push(
      `${paint(check.status, `${symbols[check.status]} ${check.status.padEnd(7)}`)} ${id}: ${check.title}${seconds}`,
    );
    for (const finding of worstFirst(check.findings)) {
      if (finding.status === 'pass' && !verbose) continue;
      const reason = finding.reason && verbose ? ` [${finding.reason}]` : '';
      lines.push(`    ${paint(finding.status, symbols[finding.status])} ${oneLine(finding.target)}${reason}`);
      lines.push(`      ${oneLine(finding.message)}`);
      if (finding.remedy) lines.push(`      Next: ${oneLine(finding.remedy)}`);
      for (const { gauge, labels, value } of verbose ? (finding.readings ?? []) : []) {
        const label = Object.values(labels ?? {}).join(', ');
        lines.push(`      ${gauge}${label ? ` (${oneLine(label)})` : ''} ${value}`);
      }
    }
  }
  const { summary, policy } = report;
  const counts = (['pass', 'warn', 'fail', 'unknown', 'skip'] as const)
    .map((status) => `${summary[status]} ${status}`)
    .join(', ');
  const problems = `${summary.problems} ${summary.problems === 1 ? 'problem' : 'problems'}`;
  lines.push('', `${paint(summary.status, summary.status.toUpperCase())}: ${counts}; ${problems}`);
  lines.push(
    `Policy: ${policySources[policy.source]}${policy.version > 0 ? `, version ${policy.version}` : ''}`,
  );
  return `${lines.join('\n')}\n`;
}
