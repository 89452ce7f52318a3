import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startModule } from '../programs/agent.ts';
import type { Installed } from '../programs/exporters.ts';
import { policyWithOnly } from '../programs/policies.ts';
import { childCpuSeconds, cpuSeconds } from '../programs/proc.ts';
import { createRow, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

// What a typical cron job runs. It is far slower per certificate, so it gets fewer of them.
const script = 'cd "$1"; shift; for file; do openssl x509 -enddate -noout -in "$file"; done';
const scriptCertificates = 25;
const scriptTimeoutMs = 60_000;

/** The CPU time to check one certificate of a folder with many. */
export async function measureCertificates(testbed: Testbed, { openssl }: Installed): Promise<Row[]> {
  const count = testbed.size.certificates;
  const many = testbed.certificates('valid', count);
  const agent = await startModule(
    testbed,
    policyWithOnly('certificateExpiry', { files: [`${many}/*`], endpoints: [] }),
  );
  const cpu = noSamples();
  // Repetition -1 warms up.
  for (let n = -1; n < testbed.size.repetitions; n += 1) {
    testbed.progress('certificates', n);
    const before = cpuSeconds(agent.pid);
    const { certificateExpiry } = await agent.runChecks('certificateExpiry');
    const spent = cpuSeconds(agent.pid) - before;
    if (certificateExpiry?.status !== 'pass') {
      throw new Error(`certificateExpiry did not pass for ${many}: ${JSON.stringify(certificateExpiry)}`);
    }
    if (n < 0) continue;
    cpu.agent.push((spent * 1000) / count);
    if (openssl) cpu.baseline.push(await opensslMsPerCertificate(many));
  }
  await agent.stop();
  return [createRow(`one of ${count} certificates, CPU time`, 'ms', 'openssl in a loop', cpu)];
}

async function opensslMsPerCertificate(folder: string): Promise<number> {
  const files = (await readdir(folder)).slice(0, scriptCertificates);
  const before = childCpuSeconds(process.pid);
  await promisify(execFile)('sh', ['-c', script, 'sh', folder, ...files], { timeout: scriptTimeoutMs });
  return ((childCpuSeconds(process.pid) - before) * 1000) / files.length;
}
