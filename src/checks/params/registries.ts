import type { EdgeModule } from '../../host/edge/types.ts';

/** Where Docker takes images from whose reference names no registry. */
const dockerHub = 'registry-1.docker.io';

/** The registries, `host[:port]`, that the images of these modules come from, each once. */
export const registriesOf = (modules: readonly EdgeModule[]): string[] => [
  ...new Set(modules.flatMap(({ image }) => registryOf(image) ?? [])),
];

/** Takes an image reference apart as Docker does: its first part is a registry when it looks like a host. */
function registryOf(image: string): string | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return undefined;
  const [first = '', ...rest] = image.toLowerCase().split('/');
  // The device's own registry is at another address when looked for from a container.
  if (/^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(first) && rest.length > 0) return undefined;
  const named = rest.length > 0 && /[.:]/.test(first);
  return !named || /^(index\.)?docker\.io$/.test(first) ? dockerHub : first;
}
