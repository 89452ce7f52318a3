import type { Agent } from '../run/agent.ts';
import type { Report } from '../run/report.ts';
import type { Metrics } from '../sinks/metrics.ts';
import { renderPage } from '../sinks/page/page.ts';
import { type Body, createBody } from './body.ts';
import { type Routes, text } from './server.ts';

const refreshSeconds = 30;

interface Sources {
  readonly agent: Agent;
  readonly metrics: Metrics;
  readonly device: string | undefined;
}

/** The endpoints on port 9600. */
export function routes({ agent, metrics, device }: Sources): Routes {
  const rendered = (type: string, key: (report: Report) => string, render: Render) => {
    const body = oncePerKey(key, render);
    return async () => ({ type, body: await body(agent.report()) });
  };
  return {
    '/': rendered('text/html; charset=utf-8', keyOfSecond, (report) =>
      renderPage(report, { device, refreshSeconds }),
    ),
    '/metrics': rendered(metrics.contentType, (report) => keyOf(report) + metrics.key(), metrics.render),
    '/api/report': rendered(
      'application/json; charset=utf-8',
      keyOfSecond,
      (report) => `${JSON.stringify(report, undefined, 2)}\n`,
    ),
    '/healthz': () => health(agent.stuck()),
    '/readyz': () => health(agent.notReady()),
  };
}

type Render = (report: Report) => string | Promise<string>;

/** Renders a report once per key, one after the other: prom-client collects in several steps. */
function oncePerKey(keyFor: (report: Report) => string, render: Render): (report: Report) => Promise<Body> {
  let current: { readonly key: string; readonly body: Promise<Body> } | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return (report) => {
    const key = keyFor(report);
    if (current?.key === key) return current.body;
    const body = last.then(() => render(report)).then(createBody);
    current = { key, body };
    last = body.catch(() => {
      if (current?.body === body) current = undefined;
    });
    return body;
  };
}

/** Equal for reports with the same content, whenever they were made. */
const keyOf = ({ agent, policy, summary, checks }: Report): string =>
  JSON.stringify([
    agent,
    policy,
    summary,
    Object.values(checks).map(({ lastRun, durationSeconds }) => [lastRun, durationSeconds]),
  ]);

/** For what shows the time of the report or ages. */
const keyOfSecond = (report: Report): string =>
  report.generatedAt.slice(0, 'yyyy-mm-ddThh:mm:ss'.length) + keyOf(report);

const health = (problem: string | undefined) => (problem ? text(503, problem) : text(200, 'ok'));
