import { statSync } from 'node:fs';
import { budgets } from '../budgets.ts';
import { imageFiles, startModule, startStandalone } from '../programs/agent.ts';
import { exporterNames, type Installed, startExporters } from '../programs/exporters.ts';
import { typicalPolicy } from '../programs/policies.ts';
import { createRow, noSamples, type Row } from '../results/rows.ts';
import type { Testbed } from '../testbed.ts';

const { startSeconds, firstReportSeconds, imageMb } = budgets.bench;

/** The time to start. Restarts every program in each repetition. */
export async function measureStart(testbed: Testbed, installed: Installed): Promise<Row[]> {
  const standalone = noSamples();
  const module = noSamples();
  const report = noSamples();
  const policies = {
    standalone: await typicalPolicy(testbed, 'tls'),
    module: await typicalPolicy(testbed, 'edgehub'),
  };
  for (let n = 0; n < testbed.size.repetitions; n += 1) {
    testbed.progress('start', n);
    const alone = await startStandalone(testbed, policies.standalone);
    standalone.agent.push(alone.startSeconds);
    await alone.stop();

    const connected = await startModule(testbed, policies.module);
    module.agent.push(connected.startSeconds);
    report.agent.push(connected.firstReportSeconds);
    await connected.stop();

    const exporters = await startExporters(testbed, installed);
    // On a device the exporters start in parallel.
    const seconds = exporters.map((exporter) => exporter.startSeconds);
    if (seconds.length > 0)
      for (const { baseline } of [standalone, module, report]) baseline.push(Math.max(...seconds));
    for (const exporter of exporters) await exporter.stop();
  }
  const names = exporterNames(installed);
  return [
    createRow('start to ready, standalone', 's', names, standalone, { agent: startSeconds }),
    createRow('start to ready, as a module', 's', names, module, { agent: startSeconds }),
    createRow('start to first report', 's', names, report, { agent: firstReportSeconds }),
  ];
}

/** The size of the programs on the device's disk. */
export function measureDiskSize(installed: Installed): Row[] {
  const exporters = [installed.node, installed.blackbox].filter((file) => file !== undefined);
  const baseline = exporters.length > 0 ? [sizeMb(...exporters)] : [];
  const names = exporterNames(installed);
  return [
    createRow(
      'size, without Node.js',
      'MB',
      names,
      { agent: [sizeMb(...imageFiles)], baseline },
      { agent: imageMb },
    ),
    createRow('size, with Node.js', 'MB', names, {
      agent: [sizeMb(...imageFiles, process.execPath)],
      baseline,
    }),
  ];
}

const sizeMb = (...files: readonly string[]): number =>
  files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6;
