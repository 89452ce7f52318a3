import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allOff } from '../support/fixtures/policies.ts';
import { startAgent } from '../support/programs/device.ts';
import { tempFolder } from '../support/temp-folder.ts';

const library = readdirSync('/usr/lib')
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

const everySeconds = 1;

describe.skipIf(!library)('the schedule of the bundle (apt-get install faketime)', () => {
  test.each([
    ['eight hours ahead', '+28800'],
    ['eight hours back', '-28800'],
  ])('keeps its pace when the clock is set %s: no stop, no burst', { timeout: 60_000 }, async (_, to) => {
    const folder = await tempFolder();
    const faketime = join(folder, 'faketime');
    await writeFile(faketime, '+0');
    // Each run of the only check that is on is a connection.
    const runs: number[] = [];
    const policy = join(folder, 'policy.json');
    await writeFile(
      policy,
      JSON.stringify({
        schedule: `*/${everySeconds} * * * * *`,
        jitterSeconds: 0,
        confirmAfterSeconds: 0,
        // Needs no network: checks that do keep a gap of 30 s.
        checks: { ...allOff, certificateExpiry: { files: ['/nowhere/a.pem'], endpoints: [] } },
      }),
    );
    const agent = await startAgent({
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: faketime,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      HARDENING_POLICY_FILE: policy,
      HARDENING_STATE_DIR: folder,
    });
    const counter =
      /^hardening_finding_reasons_total\{check="certificateExpiry",reason="not_found"\} (\d+)$/m;
    const countRuns = async () => {
      const total = Number(counter.exec((await agent.get('/metrics')).body)?.[1]);
      while (runs.length < total) runs.push(performance.now());
      return runs.length;
    };
    const reach = (count: number) =>
      expect.poll(countRuns, { timeout: 25_000, interval: 50 }).toBeGreaterThanOrEqual(count);

    await reach(3);
    await writeFile(faketime, to);
    const before = runs.length;
    await reach(before + 5);
    // The first may make up for what was missed, and the second follow at once.
    const paced = runs.slice(before + 1, before + 5);
    const pauses = paced.slice(1).map((at, i) => (at - (paced[i] ?? 0)) / 1000);
    for (const seconds of pauses) expect(seconds).toBeGreaterThan(everySeconds / 2);
    expect((await agent.get('/metrics')).body).toContain('hardening_clock_steps_total 1\n');
    expect((await agent.get('/healthz')).status).toBe(200);
  });
});
