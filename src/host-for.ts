import type { Host } from './check.ts';
import { type Config, ConfigError } from './config.ts';
import { describeError } from './errors.ts';
import { createHost } from './host/index.ts';

/** This machine, as the environment says to look at it. Throws a {@link ConfigError} for a bad proxy. */
export function hostFor(
  config: Config,
  memoryProblem: Host['memoryProblem'],
  clockEvents: Host['clockEvents'] = () => [],
): Host {
  const { names, hostRoot, stateDir, dockerSocket, workloadUri, caFiles, httpsProxy, noProxy } = config;
  try {
    return createHost({
      names,
      hostRoot,
      stateDir,
      dockerSocket,
      workloadUri,
      caFiles,
      httpsProxy,
      noProxy,
      memoryProblem,
      clockEvents,
    });
  } catch (cause) {
    throw new ConfigError(`https_proxy: ${describeError(cause)}`, { cause });
  }
}
