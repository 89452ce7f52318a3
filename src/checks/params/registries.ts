import type { EdgeModule } from '../../host/edge/types.ts';
import { parseImage } from './image-reference.ts';

/** Where images whose reference names no registry come from. */
const dockerHub = 'registry-1.docker.io';

/** The registries, `host[:port]`, that the images of these modules come from, each once. */
export const registriesOf = (modules: readonly Pick<EdgeModule, 'image'>[]): string[] => [
  ...new Set(modules.flatMap(({ image }) => registryOf(image) ?? [])),
];

/**
 * Undefined for an image by its id; for the device's own registry, which has another address from a container; and for
 * `$upstream`, which is the parent gateway by a name that only the runtime knows.
 */
function registryOf(image: string): string | undefined {
  const registry = parseImage(image)?.registry;
  if (registry === undefined || /^(localhost|127\.[\d.]+|\[::1\]|\$upstream)(:\d+)?$/.test(registry))
    return undefined;
  return registry === 'docker.io' ? dockerHub : registry;
}
