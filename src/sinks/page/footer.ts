import type { Report } from '../../run/report.ts';
import { escapeMarkup } from '../escape.ts';
import { moment } from '../reading-format.ts';
import { span } from './parts.ts';

const hubStates = {
  connected: 'connected',
  connecting: 'connecting',
  offline: 'offline; checks continue, the report is sent after reconnecting',
  none: 'none, standalone mode',
} satisfies Record<Report['agent']['hub'], string>;

const policySources = {
  twin: 'from the module twin',
  file: 'from a file',
  saved: 'saved copy from the module twin; not connected to the hub yet',
  default: 'the built-in defaults',
} satisfies Record<Report['policy']['source'], string>;

/** Facts about the policy, the hub, the agent and the page, and links to the other endpoints. */
export const renderFooter = (report: Report, refreshSeconds: number): string => `<footer>
<dl>
${fact('Policy', policyOf(report))}
${exceptionsOf(report)}${fact('IoT Edge hub', hubStates[report.agent.hub])}
${fact('Agent', `eflow-hardening ${report.agent.version}, running for ${span(report.agent.startedAt, report.generatedAt)}`)}
${fact('This page', `${moment(report.generatedAt)}, refreshed every ${refreshSeconds} s`)}
</dl>
<nav><a href="/metrics">Metrics</a> <a href="/api/report">Report as JSON</a></nav>
</footer>`;

function policyOf({ policy: { source, version, accepted } }: Report): string {
  if (version === 0) return policySources[source];
  return accepted
    ? `${policySources[source]}, version ${version}`
    : `${policySources[source]}; version ${version} was refused`;
}

/** A fact of its own where some exceptions have ended or match nothing. */
function exceptionsOf({ policy: { exceptions } }: Report): string {
  const { active, over, unused } = exceptions;
  if (over + unused === 0) return '';
  return `${fact('Exceptions', `${active} active, ${over} ended, ${unused} matched nothing`)}\n`;
}

const fact = (name: string, value: string): string =>
  `<div><dt>${name}</dt><dd>${escapeMarkup(value)}</dd></div>`;
