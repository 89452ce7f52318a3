import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundled, run } from '../support/programs/bundle.ts';
import { policyThatGives } from '../support/programs/cli.ts';
import { node } from '../support/programs/node.ts';
import { eventually } from '../support/servers/simulator.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('simulate prints an environment with which the agent connects, and cleans up on Ctrl-C', async () => {
  const temporary = await tempFolder();
  const ports = ['--port', '0', '--admin-port', '0', '--metrics-port', '0'];
  const simulator = run([...node, bundled('cli'), 'simulate', ...ports], { TMPDIR: temporary });
  onTestFinished(() => void simulator.child.kill('SIGKILL'));
  await eventually(simulator.out).toContain('# Metrics: ');
  const exported = [...simulator.out().matchAll(/^export (\w+)='([^']*)'$/gm)];
  const environment = Object.fromEntries(exported.map(([, name = '', value = '']) => [name, value]));
  const adminUrl = /http:\/\/127\.0\.0\.1:\d+$/m.exec(simulator.out())?.[0];

  const agent = run([...node, bundled('main')], {
    ...environment,
    HARDENING_HOST_ROOT: '/',
    HARDENING_ADDRESS: '127.0.0.1',
    HARDENING_PORT: '0',
    HARDENING_STATE_DIR: join(temporary, 'state'),
    HARDENING_POLICY_FILE: await policyThatGives('pass'),
  });
  onTestFinished(() => void agent.child.kill('SIGKILL'));
  await eventually(async () => (await fetch(`${adminUrl}/twin`)).json()).toMatchObject({
    reported: { policy: { ac: 203 }, checks: { diskSpace: { status: 'pass' } } },
  });

  agent.child.kill('SIGTERM');
  expect(await agent.ended).toBe(0);
  simulator.child.kill('SIGINT');
  expect(await simulator.ended).toBe(0);
  const socket = environment.IOTEDGE_WORKLOADURI?.replace('unix://', '') ?? '';
  await expect(readFile(socket)).rejects.toThrow('ENOENT');
});
