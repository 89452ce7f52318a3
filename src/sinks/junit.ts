import type { ConfirmedFinding } from '../run/confirm.ts';
import type { Report } from '../run/report.ts';
import { escapeMarkup } from './escape.ts';

/**
 * A report as JUnit XML: a suite for each check, a case for each finding. Unknown is an error; warn passes, or fails
 * with `warningsAsErrors`, as the exit code has it.
 */
export function renderJunit(report: Report, warningsAsErrors = false): string {
  const asTold = (finding: ConfirmedFinding): ConfirmedFinding =>
    warningsAsErrors && finding.status === 'warn' ? { ...finding, status: 'fail' } : finding;
  const suites = Object.entries(report.checks).map(([id, check]) => {
    const { durationSeconds, lastRun } = check;
    const findings = check.findings.map(asTold);
    const count = (status: string) => findings.filter((finding) => finding.status === status).length;
    const numbers = `tests="${findings.length}" failures="${count('fail')}" errors="${count('unknown')}" skipped="${count('skip')}"`;
    const cases = findings.map((finding) => testCase(id, finding)).join('');
    return `<testsuite name="${clean(id)}" ${numbers} time="${durationSeconds.toFixed(3)}" timestamp="${lastRun.slice(0, 19)}">${cases}</testsuite>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="eflow-hardening">${suites.join('')}</testsuites>\n`;
}

function testCase(check: string, { target, status, reason, message, remedy }: ConfirmedFinding): string {
  const words = `message="${clean(message)}"${reason ? ` type="${clean(reason)}"` : ''}`;
  const text = clean([message, remedy].filter(Boolean).join('\n'));
  const outcome = {
    pass: '',
    warn: `<system-out>${text}</system-out>`,
    fail: `<failure ${words}>${text}</failure>`,
    unknown: `<error ${words}>${text}</error>`,
    skip: `<skipped ${words}/>`,
  }[status];
  return `<testcase classname="${clean(check)}" name="${clean(target)}">${outcome}</testcase>`;
}

const clean = (text: string): string => escapeMarkup(text.replaceAll(notXml, ''));

// XML 1.0 has no place for other control characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed.
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
