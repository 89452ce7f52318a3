import { budgets } from '../budgets.ts';
import { type ModuleProgram, startModule } from '../programs/agent.ts';
import { scrape } from '../programs/http.ts';
import { policyWithOnly } from '../programs/policies.ts';
import { cpuSeconds, treeBytes } from '../programs/proc.ts';
import { createRow, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

const mib = 1_048_576;
const runs = 3;
const { growthRatio } = budgets.bench;

/** Something of which a device can have many. */
interface Subjects {
  readonly what: string;
  readonly counts: readonly [few: number, many: number];
  policy(testbed: Testbed, count: number): object;
}

const expiry = (kind: 'valid' | 'expired') => (testbed: Testbed, count: number) =>
  policyWithOnly('certificateExpiry', { files: [`${testbed.certificates(kind, count)}/*`], endpoints: [] });

const reachability = ({ targets }: Testbed, count: number) =>
  policyWithOnly('outboundReachability', {
    targets: targets.slice(0, count).map((target) => `tls://${target}`),
  });

/**
 * What one subject costs among many, against one among ten: CPU time of a run and of one GET of the page, the metrics and
 * the report after it; and the memory afterwards. Every expired certificate is a finding of its own.
 */
export async function measureGrowth(testbed: Testbed): Promise<Row[]> {
  const { few, manyCertificates, manyTargets } = testbed.size.growth;
  const kinds: readonly Subjects[] = [
    { what: 'certificates', counts: [few, manyCertificates], policy: expiry('valid') },
    { what: 'findings', counts: [few, manyCertificates], policy: expiry('expired') },
    { what: 'TLS targets', counts: [few, manyTargets], policy: reachability },
  ];
  const rows: Row[] = [];
  for (const { what, counts, policy } of kinds) {
    const cpu = noSamples();
    const memory = noSamples();
    for (const [i, count] of counts.entries()) {
      testbed.progress(`growth, ${what}`, count);
      const side = i === 0 ? 'baseline' : 'agent';
      const agent = await startModule(testbed, policy(testbed, count));
      // The first run compiles.
      await exercise(agent);
      for (let run = 0; run < runs; run += 1) cpu[side].push((1000 * (await exercise(agent))) / count);
      memory[side].push(treeBytes(agent.pid) / mib);
      await agent.stop();
    }
    const [least, most] = counts;
    const name = `one of ${least}`;
    rows.push(
      createRow(`one of ${most} ${what}, CPU time`, 'ms', name, cpu, { ratio: growthRatio }),
      createRow(`memory with ${most} ${what}`, 'MiB', `with ${least}`, memory),
    );
  }
  return rows;
}

/** Returns the CPU time in seconds. */
async function exercise(agent: ModuleProgram): Promise<number> {
  const before = cpuSeconds(agent.pid);
  await agent.runChecks();
  for (const path of ['/', '/metrics', '/api/report']) await scrape(agent.url + path);
  return cpuSeconds(agent.pid) - before;
}
