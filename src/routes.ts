import type { Agent } from './agent.ts';
import type { ClockWatch } from './host/clock-watch.ts';
import { type Routes, text } from './http.ts';
import type { HubFigures } from './hub/hub.ts';
import type { PolicyKeeper } from './policy-keeper.ts';
import type { Metrics } from './sinks/metrics.ts';
import { renderPage } from './sinks/page.ts';

const refreshSeconds = 30;

/** Who knows what is served. */
interface Served {
  readonly agent: Agent;
  readonly keeper: PolicyKeeper;
  readonly metrics: Metrics;
  /** The device's own name, where it is known. */
  readonly device: string | undefined;
  readonly clockWatch: ClockWatch;
  /** Nothing without a hub. */
  hubFigures(): HubFigures | undefined;
}

/** What is served on port 9600. */
export function routes({ agent, keeper, metrics, device, clockWatch, hubFigures }: Served): Routes {
  return {
    '/': () => ({
      type: 'text/html; charset=utf-8',
      body: renderPage(agent.report(), { device, refreshSeconds }),
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
