import { type Report, worstFirst } from '../../run/report.ts';
import { escapeMarkup } from '../escape.ts';
import { renderCheck } from './check-section.ts';
import { renderFooter } from './footer.ts';
import { headline, renderHeader } from './header.ts';
import { style } from './style.ts';

/** What the page shows besides the report. */
export interface PageContext {
  readonly device: string | undefined;
  readonly refreshSeconds: number;
}

/** The status page: one self-contained HTML document, readable without scripts, on a phone and on paper. */
export function renderPage(report: Report, { device, refreshSeconds }: PageContext): string {
  const checks = worstFirst(Object.entries(report.checks).map(([id, check]) => ({ id, ...check })));
  const title = `${headline(report)} - ${device ?? 'this device'}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<style>${style}</style>
</head>
<body>
${renderHeader(report, device)}
<main>
${checks.map((check) => renderCheck(check.id, check, report.generatedAt)).join('\n')}
${checks.length === 0 ? '<p>Results appear after the first run.</p>' : ''}
</main>
${renderFooter(report, refreshSeconds)}
</body>
</html>
`;
}
