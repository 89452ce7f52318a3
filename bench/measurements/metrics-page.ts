import { budgets } from '../budgets.ts';
import { startStandalone } from '../programs/agent.ts';
import { type Installed, startNodeExporter } from '../programs/exporters.ts';
import { send } from '../programs/http.ts';
import { typicalPolicy } from '../programs/policies.ts';
import { cpuSeconds } from '../programs/proc.ts';
import type { Program } from '../programs/program.ts';
import { type ScrapeClient, startScrapeClient } from '../programs/scrapes.ts';
import { createRow, median, noSamples, quantile, type Row } from '../results/rows.ts';
import type { Size, Testbed } from '../testbed.ts';

// Those of a Prometheus pair, a metrics-collector and a person.
const connections = 4;

/** The cost of one GET /metrics. The agent returns its latest report; node_exporter collects on each request. */
export async function measureMetricsPage(testbed: Testbed, { node }: Installed): Promise<Row[]> {
  const agent = await startStandalone(testbed, await typicalPolicy(testbed, 'tls'));
  const exporter = node ? await startNodeExporter(testbed, node) : undefined;
  const client = startScrapeClient(testbed.defer);
  const samples = {
    reused: noSamples(),
    fresh: noSamples(),
    slowest: noSamples(),
    cpu: noSamples(),
    cpuPerSeries: noSamples(),
    series: noSamples(),
  };

  // Repetition -1 warms up.
  for (let n = -1; n < testbed.size.repetitions; n += 1) {
    testbed.progress('metrics page', n);
    for (const side of ['agent', 'baseline'] as const) {
      const program = side === 'agent' ? agent : exporter;
      if (!program) continue;
      const page = await measureGets(client, program, testbed.size);
      if (n < 0) continue;
      samples.reused[side].push(page.reusedSeconds * 1000);
      samples.fresh[side].push(page.freshSeconds * 1000);
      samples.slowest[side].push(page.slowestSeconds * 1000);
      samples.cpu[side].push(page.cpuSeconds * 1000);
      samples.cpuPerSeries[side].push((page.cpuSeconds / page.series) * 1e6);
      samples.series[side].push(page.series);
    }
  }
  client.stop();
  await agent.stop();
  await exporter?.stop();
  return [
    createRow('GET /metrics, reused connection', 'ms', 'node_exporter', samples.reused),
    createRow('GET /metrics, new connection', 'ms', 'node_exporter', samples.fresh),
    createRow(
      `GET /metrics, ${connections} connections, 99th percentile`,
      'ms',
      'node_exporter',
      samples.slowest,
      {
        ratio: budgets.bench.scrapeP99Ratio,
      },
    ),
    createRow('GET /metrics, CPU time', 'ms', 'node_exporter', samples.cpu),
    createRow('GET /metrics, CPU time per series', 'µs', 'node_exporter', samples.cpuPerSeries),
    createRow('GET /metrics, series', '', 'node_exporter', samples.series),
  ];
}

async function measureGets(client: ScrapeClient, { url, pid }: Program, size: Size) {
  const page = `${url}/metrics`;
  const { body } = await send(page);
  const one = { url: page, count: size.gets, seconds: 0, connections: 1 };
  const reused = await client.time({ ...one, reuse: true });
  const fresh = await client.time({ ...one, reuse: false });
  // Long, because a single pause delays every connection, and to include garbage collections.
  const before = cpuSeconds(pid);
  const together = await client.time({ ...one, seconds: size.loadSeconds, connections, reuse: true });
  const spent = cpuSeconds(pid) - before;
  return {
    reusedSeconds: median(reused),
    freshSeconds: median(fresh),
    slowestSeconds: quantile(together, 0.99),
    cpuSeconds: spent / together.length,
    series: body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
  };
}
