import type { Status } from '../check.ts';
import { type Report, worstFirst } from '../run/report.ts';
import { oneLine } from './escape.ts';
import { describeValue } from './reading-format.ts';
import { symbols } from './symbols.ts';
import { wrap } from './wrap.ts';

export interface TableOptions {
  readonly colour: boolean;
  /** Adds passing findings, and the reason and readings of each finding. */
  readonly verbose: boolean;
  /** Columns of the terminal; lines are not wrapped without. */
  readonly width?: number | undefined;
  /** The file that the policy was read from. */
  readonly policyFile?: string | undefined;
}

const policySources = {
  twin: 'of the module twin',
  file: 'from a file',
  saved: 'saved from the module twin',
  default: 'the built-in defaults',
} satisfies Record<Report['policy']['source'], string>;

const colours = { pass: 32, warn: 33, fail: 31, unknown: 35, skip: 90 } satisfies Record<Status, number>;

/** A report for a terminal: one line per check, followed by its problems and their remedies. */
export function renderTable(
  report: Report,
  { colour, verbose, width = Number.POSITIVE_INFINITY, policyFile }: TableOptions,
): string {
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
      lines.push(...indented(oneLine(finding.message), width));
      if (finding.remedy) lines.push(...indented(`Next: ${oneLine(finding.remedy)}`, width));
      if (finding.controls && verbose)
        lines.push(...indented(`Controls: ${finding.controls.join(', ')}`, width));
      for (const reading of verbose ? (finding.readings ?? []) : []) {
        const label = Object.values(reading.labels ?? {}).join(', ');
        lines.push(`      ${reading.gauge}${label ? ` (${oneLine(label)})` : ''} ${describeValue(reading)}`);
      }
    }
  }
  const { summary, policy } = report;
  const counts = (['pass', 'warn', 'fail', 'unknown', 'skip'] as const)
    .map((status) => `${summary[status]} ${status}`)
    .join(', ');
  const problems = `${summary.problems} ${summary.problems === 1 ? 'problem' : 'problems'}`;
  lines.push('', `${paint(summary.status, summary.status.toUpperCase())}: ${counts}; ${problems}`);
  const source = policyFile === undefined ? policySources[policy.source] : `from ${oneLine(policyFile)}`;
  lines.push(`Policy: ${source}${policy.version > 0 ? `, version ${policy.version}` : ''}`);
  return `${lines.join('\n')}\n`;
}

const indented = (text: string, width: number): string[] =>
  wrap(text, width - 6).map((line) => `      ${line}`);
