import { expect, test } from 'vitest';
import { imagePinning } from '../../../src/checks/edge/image-pinning.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

const { signal } = new AbortController();
const digest = `sha256:${'ab'.repeat(32)}`;

/** What the check says of modules with these images. */
async function found(images: Record<string, string>, policy: object = {}) {
  const params = imagePinning.params.parse(policy);
  const modules = Object.entries(images).map(([name, image]) => ({
    name,
    image,
    labelsHash: '',
    state: 'running' as const,
  }));
  const host = fakeHost({ modules: async () => ({ listedAt: new Date(0), uptimeSeconds: 0, modules }) });
  const subjects = await imagePinning.subjects(params, host, signal);
  return Promise.all(
    subjects.map(async (subject) => ({
      target: subject.target,
      ...(await imagePinning.examine(subject, params, host, signal)),
    })),
  );
}

test.each<[string, string | undefined]>([
  ['acme.test/plc:latest', 'latest'],
  ['acme.test/plc', 'latest'],
  ['registry:5000/plc', 'latest'],
  ['acme.test/plc:1.2', 'tag_only'],
  ['acme.test/plc:latest-amd64', 'tag_only'],
  [`acme.test/plc@${digest}`, undefined],
  [`acme.test/plc:latest@${digest}`, undefined],
  [digest, undefined],
])('%s is %s', async (image, reason) => {
  expect(await found({ plc: image })).toMatchObject([
    reason === undefined ? { target: 'plc', status: 'pass' } : { target: 'plc', status: 'warn', reason },
  ]);
});

test('the remedy has a digest without a tag, which edgeAgent accepts, and the command that prints it', async () => {
  const [finding] = await found({ plc: 'registry:5000/press/plc:1.2' });
  expect(finding).toMatchObject({
    message: 'plc runs registry:5000/press/plc:1.2: a tag can be moved to another image',
    remedy:
      "Deploy registry:5000/press/plc@sha256:DIGEST, without a tag, as edgeAgent refuses both together. The digest of the image that runs: `sudo docker image inspect --format '{{index .RepoDigests 0}}' registry:5000/press/plc:1.2`",
  });
});

test('the severity is that of the policy', async () => {
  expect(await found({ plc: 'plc:1' }, { severity: 'fail' })).toMatchObject([{ status: 'fail' }]);
});

test.each<[string, string[], boolean]>([
  ['mcr.microsoft.com/a', ['mcr.microsoft.com'], true],
  ['mcr.microsoft.com/a', ['MCR.microsoft.com'], true],
  ['mcr.microsoft.com.evil.test/a', ['mcr.microsoft.com'], false],
  ['registry.test:5000/a', ['registry.test'], false],
  ['registry.test:5000/a', ['registry.test:5000'], true],
  ['nginx', ['docker.io'], true],
  ['nginx', ['mcr.microsoft.com'], false],
  ['$upstream:8000/a', ['$upstream'], true],
  ['$upstream:8000/a', ['mcr.microsoft.com'], false],
  ['anywhere.test/a', [], true],
])('%s with the registries %j: allowed is %s', async (name, registries, allowed) => {
  expect(await found({ plc: `${name}@${digest}` }, { registries })).toMatchObject([
    allowed ? { status: 'pass' } : { status: 'warn', reason: 'registry_not_allowed' },
  ]);
});

test('a tag from a registry that is not allowed is told with both problems', async () => {
  expect(await found({ plc: 'evil.test/plc:1' }, { registries: ['mcr.microsoft.com'] })).toMatchObject([
    { reason: 'registry_not_allowed', also: [{ reason: 'tag_only' }] },
  ]);
});

const [agent, hub] = ['mcr.microsoft.com/azureiotedge-agent', 'mcr.microsoft.com/azureiotedge-hub'];

test.each<[string, string, string]>([
  [`${agent}:1.6`, `${hub}:1.5`, 'version_mismatch'],
  [`${agent}:1.6.8`, `${hub}:1.5.44-linux-amd64`, 'version_mismatch'],
  [`${agent}:1.6.8`, `${hub}:1.6.2`, 'tag_only'],
  [`${agent}:1.10`, `${hub}:1.1`, 'version_mismatch'],
  [`${agent}@${digest}`, `${hub}:1.5`, 'tag_only'],
  [`${agent}:prod`, `${hub}:1.5`, 'tag_only'],
])('with %s, %s is %s', async (agentImage, hubImage, reason) => {
  const findings = await found({ edgeAgent: agentImage, edgeHub: hubImage });
  expect(findings.find(({ target }) => target === 'edgeHub')).toMatchObject({ reason });
  expect(findings.find(({ target }) => target === 'edgeAgent')).not.toMatchObject({
    reason: 'version_mismatch',
  });
});

test('an image that cannot be read as a reference is unknown', async () => {
  await expect(found({ plc: 'Not A Reference' })).rejects.toMatchObject({ reason: 'unreadable' });
});

test.each(['', 'https://mcr.microsoft.com', 'a b', 'a/b', 'host:port'])(
  'the registry %j is refused',
  (text) => {
    expect(imagePinning.params.safeParse({ registries: [text] }).success).toBe(false);
  },
);
