import * as z from 'zod';
import { defineCheck, type Reading } from '../../check.ts';
import { withDeadline } from '../../deadline.ts';
import { type Probe, probePhases } from '../../host/network/types.ts';
import { expandAll, needsOfTargets } from '../params/placeholders.ts';
import { probeTarget, targetOf } from '../params/probe-target.ts';
import { answerProblem } from './http-answer.ts';
import { probeRemedy } from './probe-remedy.ts';

/** Tries each target: connects, completes TLS and verifies the certificate, requests the path. */
export const outboundReachability = defineCheck({
  id: 'outboundReachability',
  title: 'Every endpoint this device needs is reachable',
  params: z.strictObject({
    targets: z
      .array(probeTarget)
      .max(512)
      .default(['tls://{iothub}:8883', 'tls://{iothub}:443', 'https://mcr.microsoft.com/v2/'])
      .describe('What must be reachable: tcp://host:port, tls://host:port or https://host[:port][/path].'),
    timeoutSeconds: z.number().positive().max(60).default(5).describe('Time limit for one target.'),
  }),
  uses: ['modules', 'probe'],
  reasons: [
    'dns_failed',
    'refused',
    'tls_failed',
    'intercepted',
    'http_status',
    'wrong_content',
    'proxy_failed',
  ],
  gauges: {
    outbound_success: { help: 'Whether the target was reached, 1 or 0.', labels: ['target'] },
    outbound_duration_seconds: {
      help: 'Time spent in each phase of the last attempt; phases that were not reached are absent.',
      labels: ['target', 'phase'],
    },
  },

  needs: ({ targets }) => needsOfTargets(targets),

  subjects: ({ targets }, host, signal) => expandAll(targets, host, signal),

  async examine(subject, { timeoutSeconds }, host, signal) {
    const target = targetOf(subject);
    const probe = await withDeadline(timeoutSeconds, signal, (deadline) => host.probe(target, deadline));
    const problem = probe.failure ?? answerProblem(probe, target);
    const readings = readingsOf(probe, problem === undefined);
    const after = `${totalSeconds(probe).toFixed(2)} s`;
    if (!problem) return { status: 'pass', message: reachedMessage(probe, after), readings };
    const { reason, detail } = problem;
    return {
      status: 'fail',
      reason,
      message: `${detail}, after ${after}`,
      remedy: probeRemedy(reason, target, probe),
      readings,
    };
  },
});

function reachedMessage({ proxy, brokenFamily }: Probe, after: string): string {
  const through = proxy === undefined ? '' : ` through the proxy ${proxy}`;
  return `Reached in ${after}${through}${brokenFamily === undefined ? '' : `, but ${brokenFamily}`}`;
}

type GaugeName = 'outbound_success' | 'outbound_duration_seconds';

const totalSeconds = ({ seconds }: Probe): number =>
  probePhases.reduce((total, phase) => total + (seconds[phase] ?? 0), 0);

function readingsOf({ seconds }: Probe, reached: boolean): Reading<GaugeName>[] {
  const durations = probePhases.flatMap((phase): Reading<GaugeName>[] => {
    const value = seconds[phase];
    return value === undefined ? [] : [{ gauge: 'outbound_duration_seconds', labels: { phase }, value }];
  });
  return [{ gauge: 'outbound_success', value: reached ? 1 : 0 }, ...durations];
}
