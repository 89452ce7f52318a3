import type { EdgeModule } from '../../host/edge/types.ts';

/** The registry of images whose reference names none. */
const dockerHub = 'registry-1.docker.io';

/** The registries, `host[:port]`, that the images of these modules come from, each once. */
export const registriesOf = (modules: readonly Pick<EdgeModule, 'image'>[]): string[] => [
  ...new Set(modules.flatMap(({ image }) => registryOf(image) ?? [])),
];

/** The registry of an image reference, as Docker reads it: the first part, when it looks like a host. */
function registryOf(image: string): string | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return undefined;
  const [first = '', ...rest] = image.toLowerCase().split('/');
  // From a container, the device's own registry has another address.
  if (/^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(first) && rest.length > 0) return undefined;
  const named = rest.length > 0 && /[.:]/.test(first);
  return !named || /^(index\.)?docker\.io$/.test(first) ? dockerHub : first;
}
