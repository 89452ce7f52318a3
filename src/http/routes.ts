import type { Agent } from '../run/agent.ts';
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
export const routes = ({ agent, metrics, device }: Sources): Routes => ({
  '/': () => ({
    type: 'text/html; charset=utf-8',
    body: renderPage(agent.report(), { device, refreshSeconds }),
  }),
  '/metrics': async () => ({ type: metrics.contentType, body: await metrics.render(agent.report()) }),
  '/api/report': () => ({
    type: 'application/json; charset=utf-8',
    body: `${JSON.stringify(agent.report(), undefined, 2)}\n`,
  }),
  '/healthz': () => health(agent.stuck()),
  '/readyz': () => health(agent.notReady()),
});

const health = (problem: string | undefined) => (problem ? text(503, problem) : text(200, 'ok'));
