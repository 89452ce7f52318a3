import { expect, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { defaultPolicy } from '../../src/policy/in-force.ts';
import { worstFirst } from '../../src/run/report.ts';
import { runCheck } from '../../src/run/runner.ts';
import { alertFor } from '../../src/sinks/alerts.ts';
import { escapeMarkup } from '../../src/sinks/escape.ts';
import { renderJunit } from '../../src/sinks/junit.ts';
import { renderPage } from '../../src/sinks/page/page.ts';
import { reportedProperties } from '../../src/sinks/reported.ts';
import { renderTable } from '../../src/sinks/table.ts';
import { fakeHost } from '../support/fixtures/fake-host.ts';
import { checkReport, reportOf } from '../support/fixtures/sample-report.ts';
import { findSamples, sampleNow as now, sampleNames } from '../support/fixtures/samples.ts';

const samples = await findSamples();
const inForce = defaultPolicy(checks, now);

test.each(checks.map((check) => [check.id, check] as const))(
  'what %s finds wrong on the bad device of its sample is on every surface',
  async (id, check) => {
    const bad = samples.get(id)?.bad;
    const host = fakeHost({ now: () => now, names: sampleNames, ...bad?.host });
    const { signal } = new AbortController();
    const { findings } = await runCheck(check, check.params.parse(bad?.policy ?? {}), host, 5, signal);
    const confirmed = findings.map((finding) => ({ ...finding, since: now.toISOString() }));
    const report = reportOf({ [id]: checkReport(check.title, confirmed) });
    const [worst] = worstFirst(confirmed);
    if (!worst?.remedy) throw new Error(`${id} finds nothing wrong`);
    const { target, status, reason, message, remedy } = worst;
    const controls = worst.controls ? { controls: worst.controls } : {};

    const page = renderPage(report, { device: 'press-7', refreshSeconds: 30 });
    expect(page).toContain(escapeMarkup(message));
    // Commands are marked up there.
    expect(page).toContain(escapeMarkup(remedy.split('`')[0] ?? ''));
    for (const control of worst.controls ?? []) expect(page).toContain(control);
    const table = renderTable(report, { colour: false, verbose: false });
    for (const text of [target, message, remedy]) expect(table).toContain(text);
    expect(renderJunit(report, true)).toContain(
      `<failure message="${escapeMarkup(message)}" type="${reason}">`,
    );
    const twin = reportedProperties(report, inForce, true, now.toISOString(), undefined);
    expect(twin.checks?.[id]?.findings).toContainEqual({
      ...{ target, status, reason, message, remedy, ...controls },
      since: now.toISOString(),
    });
    const alert = alertFor(id, { target, previous: 'pass', finding: worst }, now);
    expect(alert?.body).toMatchObject({
      check: id,
      target,
      status,
      previousStatus: 'pass',
      reason,
      message,
      remedy,
      ...controls,
    });
  },
);
