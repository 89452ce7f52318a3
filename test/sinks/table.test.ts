import { expect, test } from 'vitest';
import { renderTable } from '../../src/sinks/table.ts';
import { checkReport, finding, reportOf, sampleReport } from '../support/fixtures/sample-report.ts';

test.each([
  ['table.txt', { colour: false, verbose: false }],
  ['table-verbose.txt', { colour: false, verbose: true }],
  ['table-colour.txt', { colour: true, verbose: false }],
])('the table renders to the golden file %s', async (file, options) => {
  await expect(renderTable(sampleReport, options)).toMatchFileSnapshot(`../golden/${file}`);
});

test('there are escape sequences only with colour', () => {
  expect(renderTable(sampleReport, { colour: false, verbose: true })).not.toContain('\u001b');
  expect(renderTable(sampleReport, { colour: true, verbose: true })).toContain('\u001b[31m');
});

test('text from outside cannot control the terminal', () => {
  const hostile = '\u001b[2J\u009b31mCN=x\r\nnext';
  const evil = finding({
    target: hostile,
    status: 'fail',
    reason: 'expired',
    message: hostile,
    remedy: hostile,
  });
  const reading = { gauge: 'g', labels: { subject: hostile }, value: 1 };
  const report = reportOf({ diskSpace: checkReport('Space', [{ ...evil, readings: [reading] }]) });
  const table = renderTable(report, { colour: false, verbose: true });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds control characters.
  expect(table).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(table.match(/CN=x next/g)).toHaveLength(4);
});
