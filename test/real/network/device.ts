// Runs one check once in the device's namespace and prints the result as JSON.
import { readFileSync } from 'node:fs';
import { checks } from '../../../src/checks/index.ts';
import { createLookUp } from '../../../src/host/network/lookup.ts';
import { createResolver } from '../../../src/host/network/resolve.ts';
import { type Finding, runCheck } from '../../../src/run/runner.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';
import { network } from '../../support/fixtures/host-network.ts';

export interface DeviceRun {
  readonly findings: readonly Finding[];
  readonly durationSeconds: number;
  readonly maxRssMiB: number;
}

const [id, params = '{}', caFile = '', httpsProxy = ''] = process.argv.slice(2);
const check = checks.find((each) => each.id === id);
if (!check) throw new Error(`There is no check ${id}`);
const { resolve, resolveFully } = createResolver();
const host = fakeHost({
  ...network({ bundle: readFileSync(caFile, 'utf8'), resolve, httpsProxy }),
  lookUp: createLookUp({ resolveFully }),
  names: { iothub: 'hub.azure-devices.net' },
});
const given = check.params.parse(JSON.parse(params));
const { findings, durationSeconds } = await runCheck(check, given, host, 20, new AbortController().signal);
const result: DeviceRun = { findings, durationSeconds, maxRssMiB: process.resourceUsage().maxRSS / 1024 };
process.stdout.write(JSON.stringify(result));
