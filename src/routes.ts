import type { Agent } from './agent.ts';
import type { Config } from './config.ts';
import type { ClockWatch } from './host/clock-watch.ts';
import { type Routes, text } from './http.ts';
import type { HubFigures } from './hub/hub.ts';
import type { PolicyKeeper } from './policy-keeper.ts';
import type { Metrics } from './sinks/metrics.ts';
import { renderPage } from './sinks/page.ts';

const refreshSeconds = 30;

/** What is served on port 9600. */
export function routes(
  agent: Agent,
  keeper: PolicyKeeper,
  metrics: Metrics,
  names: Config['names'],
  clockWatch: ClockWatch,
  hubFigures: () => HubFigures | undefined,
): Routes {
  return {
    '/': () => ({
      type: 'text/html; charset=utf-8',
      body: renderPage(agent.report(), { device: names.device, refreshSeconds }),
    }),
    '/metrics': async () => {
      const hub = hubFigures();
      const { steps, suspendedSeconds } = clockWatch.totals();
      const body = await metrics.render(agent.report(), {
        policyAcceptedAt: keeper.inForce().acceptedAt,
        lastReport: hub?.lastSuccess,
        twinPatches: hub?.patches ?? 0,
        twinPatchBytes: hub?.patchBytes ?? 0,
        clockSteps: steps,
        clockSuspendedSeconds: suspendedSeconds,
      });
      return { type: metrics.contentType, body };
    },
    '/api/report': () => ({
      type: 'application/json; charset=utf-8',
      body: `${JSON.stringify(agent.report(), undefined, 2)}\n`,
    }),
    '/healthz': () => verdict(agent.stuck()),
    '/readyz': () => verdict(agent.notReady()),
  };
}

const verdict = (problem: string | undefined) => (problem ? text(503, problem) : text(200, 'ok'));
