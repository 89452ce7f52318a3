import type { Row, Spread } from './figures.ts';

const heads = ['', 'agent', 'beside', 'ratio', 'beside is'];

/** The rows for people: min, median and max of each, and in words where the agent takes more. */
export function renderTable(rows: readonly Row[]): string {
  const lines = rows.map(({ what, unit, agent, beside, ratio }) => [
    unit ? `${what} (${unit})` : what,
    figures(agent),
    beside ? figures(beside) : '-',
    ratio === undefined ? '-' : figure(ratio),
    beside?.name ?? '-',
  ]);
  const table = [heads, ...lines];
  const widths = heads.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const text = table.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const more = rows.filter(({ ratio }) => ratio !== undefined && ratio > 1);
  const lost = more.map(({ what, ratio = 0 }) => `  ${what}: ${figure(ratio)} times as much`);
  return [
    ...text,
    '',
    more.length > 0 ? 'The agent takes more in:' : 'The agent takes less in all.',
    ...lost,
    '',
  ].join('\n');
}

const figures = ({ min, median, max }: Spread): string =>
  min === max ? figure(min) : [min, median, max].map(figure).join('  ');

/** Three digits that count. */
const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
