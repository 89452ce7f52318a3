import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseImage } from '../../../src/checks/params/image-reference.ts';
import { checkProperty } from '../../support/properties.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

test.each<[string, string, string, string | undefined, string | undefined]>([
  ['nginx', 'docker.io', 'nginx', undefined, undefined],
  ['nginx:1.29', 'docker.io', 'nginx', '1.29', undefined],
  ['library/nginx', 'docker.io', 'library/nginx', undefined, undefined],
  ['index.docker.io/library/nginx:1', 'docker.io', 'library/nginx', '1', undefined],
  ['mcr.microsoft.com/azureiotedge-agent:1.5', 'mcr.microsoft.com', 'azureiotedge-agent', '1.5', undefined],
  ['Acme.azurecr.io/press/plc:v2', 'acme.azurecr.io', 'press/plc', 'v2', undefined],
  ['registry:5000/plc', 'registry:5000', 'plc', undefined, undefined],
  ['registry:5000/plc:1', 'registry:5000', 'plc', '1', undefined],
  ['localhost/plc:1', 'localhost', 'plc', '1', undefined],
  ['[2001:db8::1]:5000/plc:1', '[2001:db8::1]:5000', 'plc', '1', undefined],
  ['$upstream:8000/azureiotedge-hub:1.5', '$upstream:8000', 'azureiotedge-hub', '1.5', undefined],
  [`mcr.microsoft.com/a@${digest}`, 'mcr.microsoft.com', 'a', undefined, digest],
  [`mcr.microsoft.com/a:1@${digest}`, 'mcr.microsoft.com', 'a', '1', digest],
])('%s', (text, registry, repository, tag, its) => {
  expect(parseImage(text)).toEqual({ registry, repository, tag, digest: its });
});

test.each([
  ['an id', `sha256:${'a'.repeat(64)}`],
  ['a bare id', 'a'.repeat(64)],
  ['nothing', ''],
  ['a name in capitals', 'Nginx'],
  ['two digests', `a@${digest}@${digest}`],
  ['a digest that is none', 'a@latest'],
  ['an empty tag', 'a:'],
  ['a tag with a slash in front', 'a:1/b:'],
  ['white space', 'a b'],
  ['a name that is too long', 'a'.repeat(256)],
  ['a tag that is too long', `a:${'1'.repeat(129)}`],
])('%s is no reference', (_, text) => {
  expect(parseImage(text)).toBeUndefined();
});

test('no text makes it throw, and what it accepts is made of its parts', () => {
  checkProperty(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z.:/@$]{0,40}$/)), (text) => {
      const parsed = parseImage(text);
      if (!parsed) return;
      const { repository, tag, digest: its } = parsed;
      expect(text).toContain(
        `${repository}${tag === undefined ? '' : `:${tag}`}${its === undefined ? '' : `@${its}`}`,
      );
    }),
    500,
  );
});
