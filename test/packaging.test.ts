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
const template = z
  .object({
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
  })
  .parse(JSON.parse(await read('deployment.template.json'))).modulesContent;
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

test('a missing source of a mount fails the start instead of being created as root', () => {
  expect(HostConfig).not.toHaveProperty('Binds');
  expect(HostConfig.Mounts.map(({ Type }) => Type)).toEqual(['bind', 'volume']);
});

test("everything of the host's is mounted read-only, where the agent looks for it", () => {
  const binds = HostConfig.Mounts.filter(({ Type }) => Type === 'bind');
  expect(binds).toEqual(
    binds.map(({ Source }) => ({ Type: 'bind', Source, Target: `/host${Source}`, ReadOnly: true })),
  );
});

test('the module may do nothing and write nothing but its state', () => {
  expect(HostConfig).toMatchObject({
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true'],
  });
  expect(HostConfig).not.toHaveProperty('Privileged');
  expect(HostConfig).not.toHaveProperty('PortBindings');
});

test("createOptions fit into the twin's eight strings of 512 characters", () => {
  expect(JSON.stringify(module.settings.createOptions).length).toBeLessThanOrEqual(8 * 512);
});

test('the runtime belongs to a line that is supported', () => {
  const { edgeAgent, edgeHub } = desired.systemModules;
  expect(edgeAgent.settings.image).toBe('mcr.microsoft.com/azureiotedge-agent:1.6');
  expect(edgeHub.settings.image).toBe('mcr.microsoft.com/azureiotedge-hub:1.6');
});

test('the template takes the image of the module in this folder, and routes its alerts', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of the deployment tools.
  expect(module.settings.image).toBe('${MODULEDIR<.>}');
  expect(moduleJson.image.repository.split('/').at(-1)).toBe(packageJson.name);
  expect(Object.values(template.$edgeHub['properties.desired'].routes)).toContain(
    'FROM /messages/modules/hardening/outputs/alerts INTO $upstream',
  );
});

test('the default policy of the template is accepted, and is what holds without any', () => {
  const { policy } = template.hardening['properties.desired'];
  expect(readPolicy(policy, checks)).toMatchObject({ accepted: true });
  expect(readPolicy(policy, checks)).toEqual(readPolicy({}, checks));
});

test('every file that names a version names the same one', () => {
  expect(moduleJson.image.tag.version).toBe(packageJson.version);
  expect(module.version).toBe(packageJson.version);
});

test.each(Object.entries(moduleJson.image.tag.platforms))('the %s image runs as 65532', async (_, path) => {
  const dockerfile = await read(path);
  expect(dockerfile).toMatch(/^USER 65532:65532$/m);
  expect(dockerfile).toContain(`org.opencontainers.image.version="${packageJson.version}"`);
  // BuildKit's own syntax: a syntax line, mounts in RUN, here-documents, platform variables.
  expect(dockerfile).not.toMatch(/# *syntax=|RUN --|<<|BUILDPLATFORM|TARGET/);
});

test('the images differ in nothing but the platform', async () => {
  const amd64 = await read('Dockerfile.amd64');
  expect(await read('Dockerfile.arm64v8')).toBe(amd64.replace('linux/amd64', 'linux/arm64'));
});
