import type { FileFacts } from '../../../src/host/files/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

// One id has all the names of IoT Edge's services.
const services = ['iotedge', 'aziotcs', 'aziotid', 'aziotks', 'aziottpm'];

const facts = (path: string, mode: number): FileFacts => ({
  path,
  kind: 'file',
  mode,
  uid: path === '/etc/aziot/config.toml' ? 0 : 998,
  gid: 998,
  modifiedAt: new Date(0),
  owners: path === '/etc/aziot/config.toml' ? ['root'] : services,
  groups: services,
  namesKnown: { users: true, groups: true },
});
const device = (mode: number) => ({
  findPaths: async (pattern: string) => [pattern.replace('*', 'device-id')],
  inspectFile: async (path: string) => facts(path, mode),
});

export const sample: Sample = {
  check: 'filePermissions',
  good: { host: device(0o600) },
  bad: { host: device(0o604), status: 'fail', reason: 'mode_too_open' },
  demonstration: {
    policy: () => ({ rules: [{ path: '/etc/passwd', maxMode: '0644', owner: 'root' }] }),
    status: 'pass',
  },
};
