import { expect, test } from 'vitest';
import { CannotTell } from '../../../src/check.ts';
import { proxySettings } from '../../../src/checks/edge/proxy-settings.ts';
import { runCheck } from '../../../src/run/runner.ts';
import { container } from '../../support/fixtures/container.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();

interface Device {
  /** `host:port`; `none` for an environment without it, `hidden` for one that cannot be seen. */
  readonly edgeAgent: string;
  readonly edgeHub: string;
  readonly own: string;
  readonly bypassed?: readonly string[];
}

/** `target status reason` of each finding. */
async function found({
  edgeAgent,
  edgeHub,
  own,
  bypassed = ['localhost', 'edgeHub', 'gateway.test'],
}: Device) {
  const variables = (text: string) => ({ noProxy: [], ...(text !== 'none' && { https: text }) });
  const host = fakeHost({
    names: { gateway: 'gateway.test' },
    modules: async () => ({
      listedAt: new Date(0),
      uptimeSeconds: 0,
      modules: [
        {
          name: 'edgeAgent',
          image: 'a',
          labelsHash: '',
          state: 'running',
          ...(edgeAgent !== 'hidden' && { proxy: variables(edgeAgent) }),
        },
      ],
    }),
    containers: async () => {
      if (edgeHub === 'hidden') throw new CannotTell('no_access', 'The engine socket is not mounted');
      return [container({ name: 'edgeHub', proxy: variables(edgeHub) })];
    },
    ownProxy: () => ({
      https: own === 'none' ? undefined : own,
      bypasses: (endpoint) => bypassed.includes(endpoint.host),
    }),
  });
  const { findings } = await runCheck(proxySettings, {}, host, 5, signal);
  return findings.map(({ target, status, reason }) => [target, status, reason].filter(Boolean).join(' '));
}

const proxy = 'proxy.test:3128';
const other = 'proxy.test:8080';

test.each<[string, Device, string[]]>([
  [
    'nobody uses one',
    { edgeAgent: 'none', edgeHub: 'none', own: 'none' },
    ['edgeAgent pass', 'edgeHub pass', 'hardening pass'],
  ],
  [
    'all use the same',
    { edgeAgent: proxy, edgeHub: 'PROXY.test:3128', own: proxy },
    ['edgeAgent pass', 'edgeHub pass', 'hardening pass'],
  ],
  [
    'this module has none',
    { edgeAgent: proxy, edgeHub: proxy, own: 'none' },
    ['edgeAgent pass', 'edgeHub pass', 'hardening warn missing'],
  ],
  [
    'this module has another',
    { edgeAgent: proxy, edgeHub: proxy, own: other },
    ['edgeAgent pass', 'edgeHub pass', 'hardening warn differs'],
  ],
  [
    'edgeAgent has none',
    { edgeAgent: 'none', edgeHub: proxy, own: proxy },
    ['edgeAgent warn missing', 'edgeHub pass', 'hardening pass'],
  ],
  [
    'edgeHub has none',
    { edgeAgent: proxy, edgeHub: 'none', own: proxy },
    ['edgeAgent pass', 'edgeHub warn missing', 'hardening pass'],
  ],
  [
    'edgeHub cannot be seen',
    { edgeAgent: proxy, edgeHub: 'hidden', own: 'none' },
    ['edgeAgent pass', 'edgeHub skip no_access', 'hardening warn missing'],
  ],
  [
    'nothing of the runtime can be seen',
    { edgeAgent: 'hidden', edgeHub: 'hidden', own: proxy },
    ['edgeAgent skip not_applicable', 'edgeHub skip no_access', 'hardening pass'],
  ],
  [
    'no_proxy lacks names of this device',
    { edgeAgent: proxy, edgeHub: proxy, own: proxy, bypassed: ['localhost'] },
    ['edgeAgent pass', 'edgeHub pass', 'hardening warn no_proxy_missing'],
  ],
])('where %s', async (_, device, expected) => {
  expect(await found(device)).toEqual(expected);
});
