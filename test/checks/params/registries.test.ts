import { expect, test } from 'vitest';
import { registriesOf } from '../../../src/checks/params/registries.ts';

test.each([
  ['mcr.microsoft.com/azureiotedge-hub:1.6', 'mcr.microsoft.com'],
  ['Acme.azurecr.io/press/plc@sha256:abcd', 'acme.azurecr.io'],
  ['registry.plant:5000/plc', 'registry.plant:5000'],
  ['registry:5000/plc', 'registry:5000'],
  ['[2001:db8::1]:5000/plc', '[2001:db8::1]:5000'],
  ['nginx', 'registry-1.docker.io'],
  ['nginx:1.29', 'registry-1.docker.io'],
  ['library/nginx', 'registry-1.docker.io'],
  ['docker.io/library/nginx', 'registry-1.docker.io'],
])('%s comes from %s', (image, registry) => {
  expect(registriesOf([{ image }])).toEqual([registry]);
});

test.each([
  ['an image by its id', `sha256:${'a'.repeat(64)}`],
  ["the device's own registry", 'localhost:5000/plc'],
  ["the device's own registry by address", '127.0.0.1:5000/plc'],
])('%s comes from none that can be reached from here', (_, image) => {
  expect(registriesOf([{ image }])).toEqual([]);
});

test('a registry of several modules is one', () => {
  const modules = ['a', 'b'].map((name) => ({ image: `mcr.microsoft.com/${name}:1` }));
  expect(registriesOf(modules)).toEqual(['mcr.microsoft.com']);
});
