import { expect, test } from 'vitest';
import { createDevice, soon } from '../support/programs/device.ts';

test('every status change is logged with the previous and the new status', async () => {
  const { start, reported, desire, closed } = await createDevice();
  const agent = await start();
  await soon(reported).toMatchObject({ checks: { diskSpace: { status: 'pass' } } });
  const target = `tcp://127.0.0.1:${closed.tcp}`;
  expect(agent.out()).toContain(
    `Status check=outboundReachability target=${target} previous=none status=fail`,
  );

  await desire({ policy: { checks: { diskSpace: { warnUsedPercent: 0 } } } });
  await soon(() => agent.out()).toContain('Status check=diskSpace target=/ previous=pass status=warn');
  await desire({ policy: { checks: { diskSpace: { paths: [] } } } });
  await soon(() => agent.out()).toContain('Status check=diskSpace target=/ previous=warn status=gone');
});

test('a CA file that cannot be read is logged at the start', async () => {
  const { start } = await createDevice();
  const agent = await start({ EdgeModuleCACertificateFile: '/nowhere/ca.pem' });
  await soon(() => agent.out()).toMatch(
    /<4> .*The CAs of a file are not trusted err="\/nowhere\/ca\.pem cannot be read: no such file or directory"/,
  );
});
