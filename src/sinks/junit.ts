import type { ConfirmedFinding } from '../run/confirm.ts';
import type { Report } from '../run/report.ts';
import { escapeMarkup } from './escape.ts';

/**
 * A report as JUnit XML: one suite per check, one case per finding. `unknown` becomes an error; `warn` passes, or fails
 * with `warningsAsErrors`, like the exit code.
 */
export function renderJunit(report: Report, warningsAsErrors = false): string {
  const withSeverity = (finding: ConfirmedFinding): ConfirmedFinding =>
    warningsAsErrors && finding.status === 'warn' ? { ...finding, status: 'fail' } : finding;
  const suites = Object.entries(report.checks).map(([id, check]) => {
    const { durationSeconds, lastRun } = check;
    const findings = check.findings.map(withSeverity);
    const count = (status: string) => findings.filter((finding) => finding.status === status).length;
    const numbers = `tests="${findings.length}" failures="${count('fail')}" errors="${count('unknown')}" skipped="${count('skip')}"`;
    const cases = findings.map((finding) => testCase(id, finding)).join('');
    return `<testsuite name="${clean(id)}" ${numbers} time="${durationSeconds.toFixed(3)}" timestamp="${lastRun.slice(0, 19)}">${cases}</testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="eflow-hardening">${suites.join('')}</testsuites>\n`;
}

function testCase(
  check: string,
  { target, status, reason, message, remedy, controls }: ConfirmedFinding,
): string {
  const attributes = `message="${clean(message)}"${reason ? ` type="${clean(reason)}"` : ''}`;
  const text = clean(
    [message, remedy, controls && `Controls: ${controls.join(', ')}`].filter(Boolean).join('\n'),
  );
  const outcome = {
    pass: '',
    warn: `<system-out>${text}</system-out>`,
    fail: `<failure ${attributes}>${text}</failure>`,
    unknown: `<error ${attributes}>${text}</error>`,
    skip: `<skipped ${attributes}/>`,
  }[status];
  return `<testcase classname="${clean(check)}" name="${clean(target)}">${outcome}</testcase>`;
}

const clean = (text: string): string => escapeMarkup(text.replaceAll(notXml, ''));

// XML 1.0 does not allow these characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds control characters.
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
