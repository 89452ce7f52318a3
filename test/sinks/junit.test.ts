import { expect, test } from 'vitest';
import { renderJunit } from '../../src/sinks/junit.ts';
import { checkReport, finding, reportOf, sampleReport } from '../support/fixtures/sample-report.ts';
import { xmlProblems } from '../support/xml.ts';

test('a report renders to the golden JUnit file, which is well-formed', async () => {
  const xml = renderJunit(sampleReport);
  expect(xmlProblems(xml)).toEqual([]);
  await expect(xml).toMatchFileSnapshot('../golden/junit.xml');
});

test('a warning is a failure if warnings count as errors, like the exit code', () => {
  const report = reportOf({
    diskSpace: checkReport('Space', [
      finding({
        target: '/',
        status: 'warn',
        reason: 'space_low',
        message: 'Used 80 %',
        remedy: 'Make room',
      }),
    ]),
  });
  expect(renderJunit(report)).toContain('failures="0"');
  expect(renderJunit(report, true)).toMatch(/failures="1".*<failure message="Used 80 %" type="space_low">/);
});

test('hostile text does not break the XML and is not lost', () => {
  const hostile = `</testcase> & "quoted" 'too' ]]> <!-- \u0000\u001b[31m\u0008\ufffe tab\there`;
  const xml = renderJunit(
    reportOf({
      diskSpace: checkReport('Space', [
        finding({ target: hostile, status: 'fail', reason: hostile, message: hostile, remedy: hostile }),
        finding({ target: hostile, status: 'unknown', reason: hostile, message: hostile }),
        finding({ target: hostile, status: 'skip', reason: hostile, message: hostile }),
        finding({ target: hostile, status: 'warn', reason: hostile, message: hostile, remedy: hostile }),
      ]),
    }),
  );
  expect(xmlProblems(xml)).toEqual([]);
  expect(xml).toContain(
    '&lt;/testcase&gt; &amp; &quot;quoted&quot; &#39;too&#39; ]]&gt; &lt;!-- [31m tab\there',
  );
});

test.each([
  ['<?xml version="1.0" encoding="UTF-8"?>\n<a><b></a>', '</a> where </b> belongs'],
  ['<?xml version="1.0" encoding="UTF-8"?>\n<a>&nbsp;</a>', 'a bare &'],
  ['<?xml version="1.0" encoding="UTF-8"?>\n<a b="<"/>', 'a bare <'],
  ['<?xml version="1.0" encoding="UTF-8"?>\n<a>\u0001</a>', 'a control character'],
])('the XML checker of these tests detects the problem of %j', (xml, problem) => {
  expect(xmlProblems(xml)).toContain(problem);
});
