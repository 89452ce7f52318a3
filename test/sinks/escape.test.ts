import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeMarkup, oneLine } from '../../src/sinks/escape.ts';
import { createMetrics } from '../../src/sinks/metrics.ts';
import { renderPage } from '../../src/sinks/page/page.ts';
import { renderTable } from '../../src/sinks/table.ts';
import { checkReport, finding, reportOf } from '../support/fixtures/sample-report.ts';

test.each([
  ['a\u202eb', 'a b'],
  ['a\u2066\u2069b', 'a b'],
  ['a\u200fb\u061cc', 'a b c'],
  ['a\u0000\u001b[31mb\u009b', 'a [31mb '],
  ['a\r\nb\tc', 'a b c'],
  ['ü \u{1F4BE} <&>', 'ü \u{1F4BE} <&>'],
])('oneLine(%j) is %j', (text, expected) => {
  expect(oneLine(text)).toBe(expected);
});

test.each([
  ['<a href="x">\'&', '&lt;a href=&quot;x&quot;&gt;&#39;&amp;'],
  ['a\u202eb\u0000', 'a b '],
  ['two\nlines\r\n\tindented', 'two\nlines\r\n\tindented'],
])('escapeMarkup(%j) is %j', (text, expected) => {
  expect(escapeMarkup(text)).toBe(expected);
});

describe('no invisible character of a report reaches an output for people', () => {
  const odd = fc.string({
    unit: fc.constantFrom('a', '\u202e', '\u2067', '\u200e', '\u061c', '\u0007', '\u0085'),
    maxLength: 20,
  });
  const invisible = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;

  test('the page, the metrics and the table', async () => {
    const metrics = createMetrics({
      checks: [],
      build: { version: '1', revision: 'x' },
      identity: {},
      where: 'info',
      total: () => 0,
      hub: () => undefined,
      policyAcceptedAt: () => new Date(0),
    });
    await fc.assert(
      fc.asyncProperty(odd, odd, odd, async (target, message, note) => {
        const report = reportOf({
          diskSpace: checkReport('Space', [finding({ target, status: 'fail', message, remedy: message })]),
        });
        const withNote = { ...report, policy: { ...report.policy, note, accepted: false, problems: [note] } };
        const outputs = [
          renderPage(withNote, { device: note, refreshSeconds: 30 }),
          await metrics.render(withNote),
          renderTable(withNote, { colour: false, verbose: true }),
        ];
        for (const output of outputs) expect(output).not.toMatch(invisible);
      }),
      { numRuns: 100, seed: 1 },
    );
  });
});
