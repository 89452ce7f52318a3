import { startAlone } from './agent.ts';
import { type Found, startNodeExporter } from './exporters.ts';
import { median, nothingYet, type Row, row } from './figures.ts';
import { get, timeGets } from './http.ts';
import { everydayPolicy } from './policies.ts';
import { processorSeconds } from './proc.ts';
import type { Program } from './program.ts';
import type { World } from './world.ts';

/** What one GET /metrics takes. The agent answers from its last look; node_exporter looks when it is asked. */
export async function metricsPage(world: World, { node }: Found): Promise<Row[]> {
  const agent = await startAlone(world, await everydayPolicy(world, 'tls'));
  const exporter = node ? await startNodeExporter(world, node) : undefined;
  const [kept, fresh, processor, perSeries, series] = Array.from({ length: 5 }, nothingYet);
  if (!kept || !fresh || !processor || !perSeries || !series) throw new Error('There are five rows');

  for (let n = 0; n < world.size.repetitions; n += 1) {
    for (const side of ['agent', 'beside'] as const) {
      const program = side === 'agent' ? agent : exporter;
      if (!program) continue;
      const page = await measure(program, world.size.gets);
      kept[side].push(page.keptSeconds * 1000);
      fresh[side].push(page.freshSeconds * 1000);
      processor[side].push(page.processorSeconds * 1000);
      perSeries[side].push((page.processorSeconds / page.series) * 1e6);
      series[side].push(page.series);
    }
  }
  await agent.end();
  await exporter?.end();
  return [
    row('GET /metrics, connection kept', 'ms', 'node_exporter', kept),
    row('GET /metrics, new connection', 'ms', 'node_exporter', fresh),
    row('GET /metrics, processor', 'ms', 'node_exporter', processor),
    row('GET /metrics, processor per series', 'µs', 'node_exporter', perSeries),
    row('GET /metrics, series', '', 'node_exporter', series),
  ];
}

async function measure({ url, pid }: Program, gets: number) {
  const page = `${url}/metrics`;
  const { body } = await get(page);
  const before = processorSeconds(pid);
  const kept = await timeGets(page, gets, 'kept');
  const spent = processorSeconds(pid) - before;
  const fresh = await timeGets(page, gets, 'fresh');
  return {
    keptSeconds: median(kept),
    freshSeconds: median(fresh),
    processorSeconds: spent / gets,
    series: body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
  };
}
