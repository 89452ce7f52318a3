import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInspection } from '../../../src/host/engine/inspect.ts';
import { anyDocument, checkProperty } from '../../support/properties.ts';

/** An inspection as an engine of about API 1.47 has it, shortened. Written by hand after the API's documentation. */
const inspection = (hostConfig: object = {}, more: object = {}) => ({
  Id: 'a'.repeat(64),
  Name: '/plc',
  State: { Running: true },
  Image: 'sha256:…',
  AppArmorProfile: 'docker-default',
  Config: { Image: 'acme.test/plc:1', User: '1000', Env: ['PATH=/bin'], Labels: { 'a.b': 'c' } },
  Mounts: [],
  HostConfig: {
    Binds: null,
    NetworkMode: 'azure-iot-edge',
    PidMode: '',
    IpcMode: 'private',
    CapAdd: null,
    CapDrop: null,
    Privileged: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    Devices: [],
    Memory: 0,
    PidsLimit: null,
    PortBindings: {},
    LogConfig: { Type: 'json-file', Config: {} },
    ...hostConfig,
  },
  NetworkSettings: { Ports: {} },
  ...more,
});

test('a container with nothing special has no limits and no privileges', () => {
  expect(parseInspection(inspection())).toEqual({
    name: 'plc',
    image: 'acme.test/plc:1',
    isRunning: true,
    mounts: [],
    privileged: false,
    networkMode: 'azure-iot-edge',
    pidMode: '',
    ipcMode: 'private',
    addedCapabilities: [],
    devices: [],
    user: '1000',
    isRootReadOnly: false,
    securityOptions: [],
    apparmorProfile: 'docker-default',
    memoryLimitBytes: 0,
    pidsLimit: 0,
    publishedPorts: [],
    log: { driver: 'json-file', maxSize: undefined },
    proxy: { noProxy: [] },
  });
});

test('capabilities are compared as the kernel knows them, however they were submitted', () => {
  const { addedCapabilities } = parseInspection(inspection({ CapAdd: ['net_admin', 'CAP_SYS_TIME', 'ALL'] }));
  expect(addedCapabilities).toEqual(['NET_ADMIN', 'SYS_TIME', 'ALL']);
});

test.each<[string, object[], object]>([
  [
    'a bind mount',
    [{ Type: 'bind', Source: '/etc', Destination: '/in', RW: true }],
    { type: 'bind', isWritable: true },
  ],
  [
    'a volume',
    [{ Type: 'volume', Name: 'v', Source: '/d/v', Destination: '/in', RW: false }],
    { type: 'volume', isWritable: false },
  ],
  [
    'a bind mount of API 1.24',
    [{ Source: '/etc', Destination: '/in', Mode: 'ro', RW: false, Propagation: '' }],
    { type: 'bind' },
  ],
  [
    'a volume of API 1.24',
    [{ Name: 'v', Source: '/d', Destination: '/in', Driver: 'local', RW: true }],
    { type: 'volume' },
  ],
  ['a tmpfs', [{ Type: 'tmpfs', Source: '', Destination: '/in', RW: true }], { type: 'tmpfs' }],
  ['a named pipe', [{ Type: 'npipe', Source: '', Destination: '/in', RW: true }], { type: 'other' }],
])('%s is read as one', (_, Mounts, expected) => {
  expect(parseInspection(inspection({}, { Mounts })).mounts).toMatchObject([{ target: '/in', ...expected }]);
});

test('ports are published by the configuration, and by what runs', () => {
  const configured = { '443/tcp': [{ HostIp: '', HostPort: '443' }], '5671/tcp': null };
  const running = {
    '443/tcp': [
      { HostIp: '0.0.0.0', HostPort: '443' },
      { HostIp: '::', HostPort: '443' },
    ],
    '53/udp': [{ HostPort: '53' }],
  };
  const { publishedPorts } = parseInspection(
    inspection({ PortBindings: configured }, { NetworkSettings: { Ports: running } }),
  );
  expect(publishedPorts).toEqual([
    { protocol: 'tcp', port: 443 },
    { protocol: 'udp', port: 53 },
  ]);
});

test('of an environment only two settings are kept, and no password', () => {
  const Env = [
    'SECRET=s3cret',
    'storageFolder=/data',
    'https_proxy=http://me:s3cret@proxy.test:3128/',
    'NO_PROXY=localhost, .plant',
  ];
  const parsed = parseInspection(inspection({}, { Config: { Image: 'a', User: '', Env } }));
  expect(parsed).toMatchObject({
    storageFolder: '/data',
    proxy: { https: 'proxy.test:3128', noProxy: ['localhost', '.plant'] },
  });
  expect(JSON.stringify(parsed)).not.toContain('s3cret');
});

describe('what is null or absent in some version of the API is empty', () => {
  test('a container of API 1.52, whose network settings have no addresses', () => {
    const parsed = parseInspection(
      inspection({}, { NetworkSettings: { Networks: {} }, Mounts: null, AppArmorProfile: undefined }),
    );
    expect(parsed).toMatchObject({ apparmorProfile: '', mounts: [], publishedPorts: [] });
  });

  test('a container that was created and never started', () => {
    expect(
      parseInspection(inspection({}, { State: { Running: false }, NetworkSettings: {} })).isRunning,
    ).toBe(false);
  });
});

test('any document is a container or refused, and nothing else happens', () => {
  checkProperty(
    fc.property(anyDocument(fc.string()), (document) => {
      try {
        parseInspection(document);
      } catch (error) {
        expect((error as Error).name).toMatch(/ZodError/);
      }
    }),
    500,
  );
});
