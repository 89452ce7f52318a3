import { once } from 'node:events';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFiles } from '../../../src/host/files/files.ts';
import { createIdentity } from '../../../src/host/identity/identity.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const { signal } = new AbortController();

/** A device with these files, seen by a user. */
async function device(files: Readonly<Record<string, string>>, userId = 65_532) {
  const hostRoot = await tempFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(hostRoot, path, '..'), { recursive: true });
    await writeFile(join(hostRoot, path), text);
  }
  const identity = createIdentity({
    files: createFiles({ hostRoot, mountinfo: () => '' }),
    hostRoot,
    ownSocket: '/nowhere/identityd.sock',
    userId,
  });
  return { hostRoot, ...identity };
}

/** identityd's socket on a device. */
async function identityd(hostRoot: string, answer: RequestListener): Promise<string[]> {
  await mkdir(join(hostRoot, 'run/aziot'), { recursive: true });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  }).listen(join(hostRoot, 'run/aziot/identityd.sock'));
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return asked;
}

const answering =
  (body: object | string): RequestListener =>
  (_, response) =>
    response.end(typeof body === 'string' ? body : JSON.stringify(body));

const super_ = (provisioning: string) => ({
  'etc/aziot/identityd/config.d/00-super.toml': `hostname = "press-7"\nhomedir = "/var/lib/aziot/identityd"\n\n${provisioning}`,
});

// As `iotedge config apply` writes them (layouts of aziotctl-common), with other values.
const manual = (method: string) =>
  `[provisioning]\nsource = "manual"\niothub_hostname = "hub.test"\ndevice_id = "press-7"\n\n[provisioning.authentication]\nmethod = "${method}"\ndevice_id_pk = "device-id"\n`;
const dps = (method: string, more: string) =>
  `[provisioning]\nsource = "dps"\nglobal_endpoint = "https://global.azure-devices-provisioning.net/"\nscope_id = "0ne00s3cret"\n\n[provisioning.attestation]\nmethod = "${method}"\n${more}`;

describe('the configuration of identityd', () => {
  test.each<[string, string, object]>([
    ['a symmetric key or a connection string', manual('sas'), { way: 'manual-symmetric' }],
    ['a certificate', manual('x509'), { way: 'manual-x509' }],
    [
      'DPS with a key',
      dps('symmetric_key', 'registration_id = "press-7"\nsymmetric_key = "device-id"\n'),
      { way: 'dps-symmetric', registrationId: 'press-7' },
    ],
    [
      'DPS with a certificate',
      dps('x509', 'identity_cert = "device-id"\nidentity_pk = "device-id"\n'),
      { way: 'dps-x509' },
    ],
    [
      'DPS with a certificate and a subject',
      dps(
        'x509',
        'identity_cert = "a"\n\n[provisioning.attestation.registration_id]\nCN = "press-7"\nL = "AQ"\n',
      ),
      { way: 'dps-x509', registrationId: 'press-7' },
    ],
    [
      'DPS with a TPM',
      dps('tpm', 'registration_id = "press-7"\n'),
      { way: 'dps-tpm', registrationId: 'press-7' },
    ],
    ['nothing', '[provisioning]\nsource = "none"\n', { way: 'none' }],
  ])('for %s', async (_, text, expected) => {
    const { provisioning, configuredHostName } = await device(super_(text));
    expect(await provisioning(signal)).toMatchObject({ ...expected, evidence: 'configuration' });
    expect(await configuredHostName(signal)).toBe('press-7');
  });

  test('is overridden by later files', async () => {
    const { provisioning } = await device({
      ...super_(manual('sas')),
      'etc/aziot/identityd/config.d/50-ours.toml': '[provisioning.authentication]\nmethod = "x509"\n',
    });
    expect(await provisioning(signal)).toMatchObject({ way: 'manual-x509' });
  });

  test.each<[string, string]>([
    ['is no TOML', 'secret = "s3cret" s3cret'],
    ['says nothing about it', 'hostname = "a"'],
    ['names a way of the future', '[provisioning]\nsource = "quantum-s3cret"\n'],
    ['is nested beyond reason', `a = ${'['.repeat(5000)}`],
  ])('that %s is unreadable, without a word of it', async (_, text) => {
    const { provisioning } = await device({ 'etc/aziot/identityd/config.d/00-super.toml': text });
    const error = await provisioning(signal).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ reason: 'unreadable' });
    expect(`${(error as Error).message} ${(error as Error).cause ?? ''}`).not.toContain('s3cret');
  });

  test('that is not mounted is no access, and the socket is the smallest thing to mount', async () => {
    const { provisioning } = await device({});
    await expect(provisioning(signal)).rejects.toMatchObject({
      reason: 'no_access',
      remedy: expect.stringContaining('"/run/aziot/identityd.sock:/run/aziot/identityd.sock"'),
    });
  });
});

describe("identityd's socket", () => {
  test.each<[object, string]>([
    [
      {
        source: 'dps',
        auth: 'tpm',
        endpoint: 'https://dps.test/',
        scope_id: '0ne',
        registration_id: 'press-7',
        payload: { a: 's3cret' },
      },
      'dps-tpm',
    ],
    [
      {
        source: 'dps',
        auth: 'symmetric_key',
        endpoint: '',
        scope_id: '',
        registration_id: 'r',
        payload: null,
      },
      'dps-symmetric',
    ],
    [{ source: 'dps', auth: 'x509', endpoint: '', scope_id: '', registration_id: 'r' }, 'dps-x509'],
    [{ source: 'manual', auth: 'sas' }, 'manual-symmetric'],
    [{ source: 'manual', auth: 'x509' }, 'manual-x509'],
    [{ source: 'none' }, 'none'],
  ])('answers %j', async (body, way) => {
    const { hostRoot, provisioning } = await device(super_(manual('sas')));
    const asked = await identityd(hostRoot, answering(body));
    const found = await provisioning(signal);
    expect(found).toMatchObject({ way, evidence: 'identityd' });
    expect(JSON.stringify(found)).not.toContain('s3cret');
    expect(asked).toEqual(['GET /identities/provisioning?api-version=2021-12-01']);
  });

  test('is never asked by root, who could ask for everything', async () => {
    const { hostRoot, provisioning } = await device(super_(manual('sas')), 0);
    const asked = await identityd(hostRoot, answering({ source: 'none' }));
    expect(await provisioning(signal)).toMatchObject({ way: 'manual-symmetric', evidence: 'configuration' });
    expect(asked).toEqual([]);
  });

  test.each<[string, RequestListener]>([
    ['an error', (_, response) => void response.writeHead(500).end()],
    ['something else than JSON', answering('<html>')],
    ['a way of the future', answering({ source: 'dps', auth: 'quantum' })],
    ['too much', (_, response) => void response.end(' '.repeat(100_000))],
  ])('that answers %s leaves it to the configuration, and is the reason without one', async (_, answer) => {
    const configured = await device(super_(manual('sas')));
    await identityd(configured.hostRoot, answer);
    expect(await configured.provisioning(signal)).toMatchObject({ way: 'manual-symmetric' });
    const bare = await device({});
    await identityd(bare.hostRoot, answer);
    await expect(bare.provisioning(signal)).rejects.toMatchObject({ reason: 'unreadable' });
  });
});

describe('the configuration of certd', () => {
  const certd = (text: string) => device({ 'etc/aziot/certd/config.d/00-super.toml': text });

  test.each<[string, string, object]>([
    ['of a quickstart', '[cert_issuance]\n\n[preloaded_certs]\n', { edgeCa: 'none', estServers: [] }],
    ['with files', '[preloaded_certs]\naziot-edged-ca = "file:///ca.pem"\n', { edgeCa: 'file' }],
    [
      'with a self-signed Edge CA',
      '[cert_issuance.aziot-edged-ca]\nmethod = "self_signed"\n',
      { edgeCa: 'self_signed' },
    ],
    [
      'with a CA of the device',
      '[cert_issuance.aziot-edged-ca]\nmethod = "local_ca"\n',
      { edgeCa: 'local_ca' },
    ],
    [
      'with EST',
      '[cert_issuance.est]\nusername = "me"\npassword = "s3cret"\n\n[cert_issuance.est.urls]\ndefault = "https://est.test/.well-known/est"\n\n[cert_issuance.aziot-edged-ca]\nmethod = "est"\nurl = "http://u:s3cret@other.test:8085/x?p=s3cret"\n',
      { edgeCa: 'est', estServers: ['http://other.test:8085', 'https://est.test'] },
    ],
  ])('%s', async (_, text, expected) => {
    const found = await (await certd(text)).certificateIssuance(signal);
    expect(found).toMatchObject(expected);
    expect(JSON.stringify(found)).not.toContain('s3cret');
  });
});

describe('what was applied', () => {
  const files = { 'etc/aziot/config.toml': 'secret', ...super_(manual('sas')) };
  const at = async (hostRoot: string, path: string, seconds: number) =>
    utimes(join(hostRoot, path), seconds, seconds);

  test.each([
    [100, 200, 'applied'],
    [200, 200, 'applied'],
    [201, 200, 'newer'],
  ])('config.toml of %d and 00-super.toml of %d: %s', async (written, applied, expected) => {
    const { hostRoot, configurationState } = await device(files);
    await at(hostRoot, 'etc/aziot/config.toml', written);
    await at(hostRoot, 'etc/aziot/identityd/config.d/00-super.toml', applied);
    expect(await configurationState(signal)).toBe(expected);
  });

  test('config.toml that was never applied', async () => {
    const { hostRoot, configurationState } = await device({ 'etc/aziot/config.toml': '' });
    await mkdir(join(hostRoot, 'etc/aziot/identityd/config.d'), { recursive: true });
    expect(await configurationState(signal)).toBe('never');
  });

  test('a device without config.toml', async () => {
    const { configurationState } = await device(super_(manual('sas')));
    await expect(configurationState(signal)).rejects.toMatchObject({ reason: 'not_found' });
  });
});

test('a machine without IoT Edge has no identity to judge', async () => {
  const { provisioning, certificateIssuance } = await device({
    'etc/aziot/identityd/readme': '',
    'etc/aziot/certd/readme': '',
  });
  await expect(provisioning(signal)).rejects.toMatchObject({ reason: 'not_applicable' });
  await expect(certificateIssuance(signal)).rejects.toMatchObject({ reason: 'not_applicable' });
});
