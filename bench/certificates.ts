import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startModule } from './agent.ts';
import type { Found } from './exporters.ts';
import { nothingYet, type Row, row } from './figures.ts';
import { policyOf } from './policies.ts';
import { childSeconds, processorSeconds } from './proc.ts';
import type { World } from './world.ts';

// What a cron job does today. Of fewer: it takes far longer.
const loop = 'cd "$1"; shift; for file; do openssl x509 -enddate -noout -in "$file"; done';
const looped = 25;
const longestMs = 60_000;

/** The processor time to judge a certificate, of a folder with many. */
export async function certificates(world: World, { openssl }: Found): Promise<Row[]> {
  const { many } = world.certificates;
  const agent = await startModule(
    world,
    policyOf('certificateExpiry', { files: [`${many}/*`], endpoints: [] }),
  );
  const count = world.size.certificates;
  const processor = nothingYet();
  // The first is for warming up.
  for (let n = -1; n < world.size.repetitions; n += 1) {
    const before = processorSeconds(agent.pid);
    const { certificateExpiry } = await agent.runChecks('certificateExpiry');
    const spent = processorSeconds(agent.pid) - before;
    if (certificateExpiry?.status !== 'pass') {
      throw new Error(`The agent found fault with ${many}: ${JSON.stringify(certificateExpiry)}`);
    }
    if (n < 0) continue;
    processor.agent.push((spent * 1000) / count);
    if (openssl) processor.beside.push(await opensslMs(many));
  }
  await agent.end();
  return [row(`one of ${count} certificates judged, processor`, 'ms', 'openssl in a loop', processor)];
}

/** For one certificate. */
async function opensslMs(folder: string): Promise<number> {
  const files = (await readdir(folder)).slice(0, looped);
  const before = childSeconds(process.pid);
  await promisify(execFile)('sh', ['-c', loop, 'sh', folder, ...files], { timeout: longestMs });
  return ((childSeconds(process.pid) - before) * 1000) / files.length;
}
