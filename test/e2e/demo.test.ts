import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { checks } from '../../src/checks/index.ts';
import { findSamples } from '../support/fixtures/samples.ts';
import { bundled, run } from '../support/programs/bundle.ts';
import { soon } from '../support/programs/device.ts';
import { node } from '../support/programs/node.ts';
import { reportShape } from '../support/report-shape.ts';
import { refusedPort } from '../support/servers/tcp.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Starts what `npm start` starts, on free ports and with its own temporary folder. */
async function startDemo(port: number) {
  const temporary = await tempFolder();
  const demo = run(
    [...node, bundled('demo')],
    {
      TMPDIR: temporary,
      HARDENING_ADDRESS: '127.0.0.1',
      HARDENING_PORT: String(port),
      SIMULATOR_PORT: '0',
      SIMULATOR_ADMIN_PORT: '0',
      SIMULATOR_METRICS_PORT: '0',
    },
    { detached: true },
  );
  let ended = false;
  void demo.ended.then(() => {
    ended = true;
  });
  // A terminal signals the whole process group: the simulator and the agent.
  const signal = (name: NodeJS.Signals) => ended || process.kill(-(demo.child.pid ?? 0), name);
  onTestFinished(async () => {
    signal('SIGKILL');
    await demo.ended;
  });
  return { ...demo, temporary, ctrlC: () => signal('SIGINT') };
}

test('the demonstration shows real results of several kinds, names its policy and leaves no files behind', async () => {
  const url = `http://localhost:${await refusedPort()}`;
  const demo = await startDemo(Number(new URL(url).port));
  await soon(async () => (await fetch(`${url}/readyz`)).status).toBe(200);

  expect(demo.out()).toContain(`Status page        ${url}/`);
  const admin = / (http:\/\/\S+)\/twin$/m.exec(demo.out())?.[1];
  const report = reportShape.parse(await (await fetch(`${url}/api/report`)).json());
  // These statuses hold on any machine, offline too. A sample without a status depends on the machine.
  const samples = await findSamples();
  for (const { id } of checks) {
    const expected = samples.get(id)?.demonstration?.status;
    expect([id, report.checks[id]?.status]).toEqual([id, expected ?? expect.any(String)]);
  }
  expect(report.checks.certificateExpiry?.findings[0]?.message).toContain('expires in 12 days');
  const page = await (await fetch(`${url}/`)).text();
  expect(page).toContain('This is the demonstration policy');
  expect(await (await fetch(`${url}/metrics`)).text()).toContain(
    'hardening_check_status{check="outboundReachability"} 2',
  );
  await soon(async () => (await fetch(`${admin}/twin`)).json()).toMatchObject({
    reported: { policy: { ac: 200 }, summary: { status: 'fail' } },
  });

  demo.ctrlC();
  expect(await demo.ended).toBe(0);
  expect(demo.err()).toBe('');
  expect(await readdir(demo.temporary)).toEqual([]);
});

test('the printed command changes the policy', async () => {
  const url = `http://localhost:${await refusedPort()}`;
  const demo = await startDemo(Number(new URL(url).port));
  await soon(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
  const [, target = '', body = ''] = /curl -X PATCH (\S+) -d '(.*)'$/m.exec(demo.out()) ?? [];
  expect((await fetch(target, { method: 'PATCH', body })).status).toBe(200);
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await soon(metrics).toContain('\nhardening_policy_version 3\n');
  await soon(metrics).not.toContain('hardening_check_status{check="diskSpace"} 0');
});

test('SIGTERM stops the simulator and the agent', async () => {
  const url = `http://localhost:${await refusedPort()}`;
  const demo = await startDemo(Number(new URL(url).port));
  await soon(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
  demo.child.kill('SIGTERM');
  expect(await demo.ended).toBe(0);
  expect(await readdir(demo.temporary)).toEqual([]);
  await expect(fetch(url)).rejects.toThrow();
});

test('SIGHUP, as from a terminal that goes, stops the simulator and the agent', async () => {
  const url = `http://localhost:${await refusedPort()}`;
  const demo = await startDemo(Number(new URL(url).port));
  await soon(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
  demo.child.kill('SIGHUP');
  expect(await demo.ended).toBe(0);
  expect(await readdir(demo.temporary)).toEqual([]);
  await expect(fetch(url)).rejects.toThrow();
});

test('a port in use gives one line that names the variable, and no addresses', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const demo = await startDemo(typeof address === 'object' ? (address?.port ?? 0) : 0);
  expect(await demo.ended).toBe(1);
  expect(demo.err()).toMatch(
    /^Port \d+ is in use\. Select another with HARDENING_PORT; 0 takes any free one\n$/,
  );
  expect(demo.out()).toBe('');
  expect(await readdir(demo.temporary)).toEqual([]);
});
