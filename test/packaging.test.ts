import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checks } from '../src/checks/index.ts';
import { readPolicy } from '../src/policy/policy.ts';

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

const mount = z.object({
  Type: z.string(),
  Source: z.string(),
  Target: z.string(),
  ReadOnly: z.boolean().optional(),
});
const system = z.object({ settings: z.object({ image: z.string() }) });
const templateShape = z.object({
  modulesContent: z.object({
    $edgeAgent: z.object({
      'properties.desired': z.object({
        systemModules: z.object({ edgeAgent: system, edgeHub: system }),
        modules: z.object({
          hardening: z.object({
            version: z.string(),
            settings: z.object({
              image: z.string(),
              createOptions: z.object({ HostConfig: z.looseObject({ Mounts: z.array(mount) }) }),
            }),
          }),
        }),
      }),
    }),
    $edgeHub: z.object({ 'properties.desired': z.object({ routes: z.record(z.string(), z.string()) }) }),
    hardening: z.object({ 'properties.desired': z.object({ policy: z.unknown() }) }),
  }),
});
const modulesOf = async (path: string) => templateShape.parse(JSON.parse(await read(path))).modulesContent;
const template = await modulesOf('deployment.template.json');
const desired = template.$edgeAgent['properties.desired'];
const module = desired.modules.hardening;
const { HostConfig } = module.settings.createOptions;

const packageJson = z
  .object({ name: z.string(), version: z.string() })
  .parse(JSON.parse(await read('package.json')));
const moduleJson = z
  .object({
    image: z.object({
      repository: z.string(),
      tag: z.object({ version: z.string(), platforms: z.record(z.string(), z.string()) }),
    }),
  })
  .parse(JSON.parse(await read('module.json')));

test('mounts use a syntax that rejects a missing source instead of creating it as root', () => {
  expect(HostConfig).not.toHaveProperty('Binds');
  expect(HostConfig.Mounts.map(({ Type }) => Type)).toEqual(['bind', 'volume']);
});

test('every host path is mounted read-only under the host root', () => {
  const binds = HostConfig.Mounts.filter(({ Type }) => Type === 'bind');
  expect(binds).toEqual(
    binds.map(({ Source }) => ({ Type: 'bind', Source, Target: `/host${Source}`, ReadOnly: true })),
  );
});

test('the module has no capabilities and can write only its state', () => {
  expect(HostConfig).toMatchObject({
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
  });
  expect(HostConfig).not.toHaveProperty('Privileged');
  expect(HostConfig).not.toHaveProperty('PortBindings');
});

test('createOptions fit into the eight twin strings of 512 characters each', () => {
  expect(JSON.stringify(module.settings.createOptions).length).toBeLessThanOrEqual(8 * 512);
});

test('the IoT Edge runtime is a supported release', () => {
  const { edgeAgent, edgeHub } = desired.systemModules;
  expect(edgeAgent.settings.image).toBe('mcr.microsoft.com/azureiotedge-agent:1.6');
  expect(edgeHub.settings.image).toBe('mcr.microsoft.com/azureiotedge-hub:1.6');
});

test('the template uses the image of this module and routes its alerts', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder that the deployment tools replace.
  expect(module.settings.image).toBe('${MODULEDIR<.>}');
  expect(moduleJson.image.repository.split('/').at(-1)).toBe(packageJson.name);
  expect(Object.values(template.$edgeHub['properties.desired'].routes)).toContain(
    'FROM /messages/modules/hardening/outputs/alerts INTO $upstream',
  );
});

test('the policy of the template is valid and equals the built-in defaults', () => {
  const { policy } = template.hardening['properties.desired'];
  expect(readPolicy(policy, checks)).toMatchObject({ accepted: true });
  expect(readPolicy(policy, checks)).toEqual(readPolicy({}, checks));
});

test('package.json, module.json and the deployment template have the same version', () => {
  expect(moduleJson.image.tag.version).toBe(packageJson.version);
  expect(module.version).toBe(packageJson.version);
});

test.each(Object.entries(moduleJson.image.tag.platforms))(
  'the %s image runs as user 65532, has the current version and needs no BuildKit',
  async (_, path) => {
    const dockerfile = await read(path);
    expect(dockerfile).toMatch(/^USER 65532:65532$/m);
    expect(dockerfile).toContain(`org.opencontainers.image.version="${packageJson.version}"`);
    // Syntax that only BuildKit supports: syntax line, RUN options, here-documents, platform arguments.
    expect(dockerfile).not.toMatch(/# *syntax=|RUN --|<<|BUILDPLATFORM|TARGET/);
  },
);

test('the images differ only in the platform', async () => {
  const amd64 = await read('Dockerfile.amd64');
  expect(await read('Dockerfile.arm64v8')).toBe(amd64.replace('linux/amd64', 'linux/arm64'));
});

test('no script relies on another that runs before or after it, because .npmrc sets ignore-scripts', async () => {
  const { scripts } = JSON.parse(await read('package.json'));
  expect(Object.keys(scripts).filter((name) => /^(?:pre|post)/.test(name))).toEqual([]);
});

test('the full template differs from the small one in what it mounts and in the groups it adds, and in nothing else', async () => {
  const full = await modulesOf('deploy/full.template.json');
  const { Mounts, GroupAdd, ...rest } =
    full.$edgeAgent['properties.desired'].modules.hardening.settings.createOptions.HostConfig;
  const placeholder = (name: string) => `\${${name}}`;
  expect(GroupAdd).toEqual(['AZIOTID_GROUP_ID', 'DOCKER_GROUP_ID'].map(placeholder));
  const { Mounts: few, ...same } = HostConfig;
  expect(rest).toEqual(same);
  expect(Mounts).toEqual(expect.arrayContaining(few));
  const sockets = ['/run/aziot/identityd.sock', '/var/run/docker.sock'];
  for (const { Type, Source, Target, ReadOnly } of Mounts.filter((each) => each.Type === 'bind')) {
    expect({ Type, Target, ReadOnly }).toEqual(
      sockets.includes(Source)
        ? { Type, Target: Source, ReadOnly: undefined }
        : { Type, Target: `/host${Source}`, ReadOnly: true },
    );
  }
  expect(full.hardening).toEqual(template.hardening);
});
