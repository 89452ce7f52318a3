import type { Agent } from '../run/agent.ts';
import type { Report } from '../run/report.ts';
import type { Metrics } from '../sinks/metrics.ts';
import { renderPage } from '../sinks/page/page.ts';
import { type Routes, text } from './server.ts';

const refreshSeconds = 30;

interface Sources {
  readonly agent: Agent;
  readonly metrics: Metrics;
  readonly device: string | undefined;
}

/** The endpoints on port 9600. */
export function routes({ agent, metrics, device }: Sources): Routes {
  const rendered = (type: string, render: (report: Report) => string | Promise<string>) => {
    const body = oncePerReport(agent, render);
    return async () => ({ type, body: await body() });
  };
  return {
    '/': rendered('text/html; charset=utf-8', (report) => renderPage(report, { device, refreshSeconds })),
    '/metrics': rendered(metrics.contentType, metrics.render),
    '/api/report': rendered(
      'application/json; charset=utf-8',
      (report) => `${JSON.stringify(report, undefined, 2)}\n`,
    ),
    '/healthz': () => health(agent.stuck()),
    '/readyz': () => health(agent.notReady()),
  };
}

/**
 * Renders the agent's report once a second at most while it does not change. All responses share the bytes, so that
 * clients that do not read them cost no memory.
 */
function oncePerReport(
  agent: Agent,
  render: (report: Report) => string | Promise<string>,
): () => Promise<Buffer> {
  let current: { readonly key: string; readonly bytes: Promise<Buffer> } | undefined;
  return () => {
    const report = agent.report();
    const key = keyOf(report);
    if (current?.key !== key) {
      current = {
        key,
        bytes: Promise.resolve(report)
          .then(render)
          .then((text) => Buffer.from(text)),
      };
    }
    return current.bytes;
  };
}

/** Equal for reports of the same second that contain the same. */
const keyOf = ({ generatedAt, agent, policy, summary, checks }: Report): string =>
  JSON.stringify([
    generatedAt.slice(0, 'yyyy-mm-ddThh:mm:ss'.length),
    agent,
    policy,
    summary,
    Object.values(checks).map(({ lastRun, durationSeconds }) => [lastRun, durationSeconds]),
  ]);

const health = (problem: string | undefined) => (problem ? text(503, problem) : text(200, 'ok'));
