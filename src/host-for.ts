import { type Config, ConfigError } from './config.ts';
import { describeError } from './errors.ts';
import { createHost, type HostOptions } from './host/index.ts';
import type { Host } from './host.ts';

/** What the environment does not say of this machine. */
type Remembered = Pick<HostOptions, 'memoryProblem' | 'clockEvents' | 'history'>;

/** This machine, as the environment says to look at it. Throws a {@link ConfigError} for a bad proxy. */
export function hostFor(config: Config, remembered: Remembered): Host {
  try {
    return createHost({ ...config, ...remembered });
  } catch (cause) {
    throw new ConfigError(`https_proxy: ${describeError(cause)}`, { cause });
  }
}
