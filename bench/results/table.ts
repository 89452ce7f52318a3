import type { Row, Spread } from './rows.ts';

const header = ['', 'agent', 'baseline', 'ratio', 'baseline program'];

/** The rows as an aligned text table, followed by the rows in which the agent uses more than the baseline. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map(({ what, unit, agent, beside, ratio }) => [
    unit ? `${what} (${unit})` : what,
    formatSpread(agent),
    beside ? formatSpread(beside) : '-',
    ratio === undefined ? '-' : formatNumber(ratio),
    beside?.name ?? '-',
  ]);
  const table = [header, ...cells];
  const widths = header.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  const lines = table.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const worse = rows.filter(({ ratio }) => ratio !== undefined && ratio > 1);
  return [
    ...lines,
    '',
    worse.length > 0 ? 'The agent uses more in:' : 'The agent uses less in every row.',
    ...worse.map(({ what, ratio = 0 }) => `  ${what}: ${formatNumber(ratio)} times as much`),
    '',
  ].join('\n');
}

const formatSpread = ({ min, median, max }: Spread): string =>
  min === max ? formatNumber(min) : [min, median, max].map(formatNumber).join('  ');

/** Three significant digits; whole numbers from 100 upwards. */
const formatNumber = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
