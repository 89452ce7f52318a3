import { isWithinBudget, type Row, type Spread } from './rows.ts';

const header = ['', 'agent', 'baseline', 'ratio', 'budget', 'baseline program'];

/** The rows as an aligned text table, followed by the rows that exceed their budget. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.unit ? `${row.what} (${row.unit})` : row.what,
    formatSpread(row.agent),
    row.beside ? formatSpread(row.beside) : '-',
    row.ratio === undefined ? '-' : formatNumber(row.ratio),
    formatBudget(row),
    row.beside?.name ?? '-',
  ]);
  const table = [header, ...cells];
  const widths = header.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  const lines = table.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const over = rows.filter((row) => isWithinBudget(row) === false);
  return [
    ...lines,
    '',
    over.length > 0 ? 'Over budget:' : 'Every row is within its budget.',
    ...over.map((row) => `  ${row.what}: ${formatOver(row)}`),
    '',
  ].join('\n');
}

function formatBudget({ budget }: Row): string {
  if (!budget) return '-';
  return 'agent' in budget ? formatNumber(budget.agent) : `ratio ${formatNumber(budget.ratio)}`;
}

function formatOver({ agent, ratio = 0, budget }: Row): string {
  if (!budget) return '';
  return 'agent' in budget
    ? `${formatNumber(agent.median)} instead of ${formatNumber(budget.agent)}`
    : `a ratio of ${formatNumber(ratio)} instead of ${formatNumber(budget.ratio)}`;
}

const formatSpread = ({ min, median, max }: Spread): string =>
  min === max ? formatNumber(min) : [min, median, max].map(formatNumber).join('  ');

/** Three significant digits; whole numbers from 100 upwards. */
const formatNumber = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
