import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAgentLabels } from '../../../src/host/edge/agent-labels.ts';
import { anyDocument, anyText, checkProperty } from '../../support/properties.ts';

const labelsOf = (options: unknown, environment?: unknown) => ({
  'net.azure-devices.edge.create-options': JSON.stringify(options),
  ...(environment === undefined ? {} : { 'net.azure-devices.edge.env': JSON.stringify(environment) }),
});
const binds = (...Binds: string[]) => ({ HostConfig: { Binds } });
const mounts = (...Mounts: object[]) => ({ HostConfig: { Mounts } });

describe('where edgeAgent keeps its state', () => {
  test.each<[string, object, object | undefined, string, boolean]>([
    ['nothing is set', {}, undefined, '/tmp/edgeAgent', false],
    ['nothing is set', {}, {}, '/tmp/edgeAgent', false],
    ['a folder is set', {}, { storageFolder: { value: '/iotedge/' } }, '/iotedge/edgeAgent', false],
    ['it is plain text', {}, { storageFolder: '/iotedge' }, '/iotedge/edgeAgent', false],
    ['its name is in capitals', {}, { STORAGEFOLDER: '/iotedge' }, '/iotedge/edgeAgent', false],
    ['it is blank', {}, { storageFolder: { value: ' ' } }, '/tmp/edgeAgent', false],
    ['it is bound', binds('/a:/iotedge'), { storageFolder: '/iotedge' }, '/iotedge/edgeAgent', true],
    [
      'it is bound read-write',
      binds('vol:/iotedge/:rw'),
      { storageFolder: '/iotedge' },
      '/iotedge/edgeAgent',
      true,
    ],
    ['its parent is bound', binds('/a:/x'), { storageFolder: '/x/y' }, '/x/y/edgeAgent', true],
    ['the folder itself is bound', binds('/a:/tmp/edgeAgent'), {}, '/tmp/edgeAgent', true],
    [
      'a sibling is bound',
      binds('/a:/iotedge2', '/b:/iotedge/edgeAgent2'),
      { storageFolder: '/iotedge' },
      '/iotedge/edgeAgent',
      false,
    ],
    [
      'a volume is mounted',
      mounts({ Type: 'volume', Target: '/iotedge' }),
      { storageFolder: '/iotedge' },
      '/iotedge/edgeAgent',
      true,
    ],
    ['memory is mounted', mounts({ Type: 'tmpfs', Target: '/tmp' }), {}, '/tmp/edgeAgent', false],
  ])('%s: %j with %j', (_, options, environment, folder, isMounted) => {
    expect(readAgentLabels(labelsOf(options, environment)).storage).toEqual({ folder, isMounted });
  });

  test.each<[string, Record<string, string>]>([
    ['without labels', {}],
    ['without createOptions', { 'net.azure-devices.edge.env': '{}' }],
    ['with broken createOptions', { 'net.azure-devices.edge.create-options': '{' }],
    ['with a broken environment', { ...labelsOf({}), 'net.azure-devices.edge.env': '{' }],
  ])('is not known %s', (_, labels) => {
    expect(readAgentLabels(labels).storage).toBeUndefined();
  });
});

describe("edgeAgent's proxy", () => {
  const proxyOf = (environment: unknown) => readAgentLabels(labelsOf({}, environment)).proxy;

  test.each<[unknown, unknown]>([
    [{}, { noProxy: [] }],
    [{ https_proxy: { value: 'http://proxy:3128' } }, { https: 'proxy:3128', noProxy: [] }],
    [{ HTTPS_PROXY: 'http://u:p@proxy:3128/' }, { https: 'proxy:3128', noProxy: [] }],
    [
      { https_proxy: 'one', HTTPS_PROXY: 'two' },
      { https: 'one:80', noProxy: [] },
    ],
    [{ https_proxy: 'http://[fd00::1]:8080' }, { https: '[fd00::1]:8080', noProxy: [] }],
    [{ NO_PROXY: 'localhost, .local,,10.0.0.0/8' }, { noProxy: ['localhost', '.local', '10.0.0.0/8'] }],
    [{ https_proxy: 'socks5://proxy' }, undefined],
  ])('of %j is %j', (environment, proxy) => {
    expect(proxyOf(environment)).toEqual(proxy);
  });
});

const secret = 'hunter2';
const variables = fc.constantFrom('https_proxy', 'HTTPS_PROXY', 'no_proxy', 'storageFolder', 'TOKEN');
const values = fc.oneof(anyText, fc.constantFrom(null, 3, '/iotedge', 'http://proxy:1'));
const environments = fc
  .dictionary(variables, fc.oneof(values, fc.record({ value: values })))
  .map((all) => JSON.stringify({ ...all, password: secret }));
const optionTexts = fc
  .record({
    Env: fc.constant([secret]),
    HostConfig: fc.oneof(
      anyDocument(anyText),
      fc.record({
        Binds: fc.array(fc.oneof(anyText, fc.constantFrom('/a:/b', '/:/', ':', `${secret}:/tmp`))),
        Mounts: fc.array(fc.record({ Type: values, Target: values, Source: fc.constant(secret) })),
      }),
    ),
  })
  .map((options) => JSON.stringify(options));
const labelTexts = fc.oneof(
  environments,
  optionTexts,
  anyText,
  fc.constantFrom('['.repeat(50_000), 'null', '[]'),
);

test('any labels give a storage folder and a proxy of the declared form or none, and nothing else of them', () => {
  checkProperty(
    fc.property(labelTexts, labelTexts, (options, environment) => {
      const read = readAgentLabels({
        'net.azure-devices.edge.create-options': options,
        'net.azure-devices.edge.env': environment,
        other: secret,
      });
      expect(Object.keys(read)).toEqual(['storage', 'proxy']);
      const { storage, proxy } = read;
      if (storage) expect(storage.folder).toMatch(/^\/(.*\/)?edgeAgent$/s);
      expect(Object.keys(storage ?? {})).toEqual(storage ? ['folder', 'isMounted'] : []);
      if (proxy?.https) expect(proxy.https).toMatch(/:\d+$/);
      for (const entry of proxy?.noProxy ?? []) expect(entry).toMatch(/^\S{1,253}$/);
      expect(JSON.stringify(read)).not.toContain(secret);
    }),
    2000,
  );
});
