import type { Component } from './components.ts';

export const reasons = [
  'engine_incompatible',
  'end_of_life',
  'below_minimum',
  'ends_soon',
  'not_in_table',
  'table_old',
] as const;
export type Reason = (typeof reasons)[number];

/** The next thing to do about a component that is too old, or too new for another. */
export function lifecycleRemedy(reason: Reason, { target, product, engine }: Component): string {
  if (reason === 'engine_incompatible') {
    return engine?.daemonLine === '1.6'
      ? 'Install a version from 29.3, or 28: `sudo apt-get install moby-engine=VERSION`, from those that `apt-cache madison moby-engine` lists'
      : 'Update IoT Edge to 1.6: `sudo apt-get install aziot-edge`. Until then keep engine 28: `sudo apt-mark hold moby-engine`';
  }
  switch (target) {
    case 'iotedge':
      return 'Update to a supported version: `sudo apt-get install aziot-edge`, on EFLOW through Microsoft Update, then deploy edgeAgent and edgeHub of the same version';
    case 'eflow':
      return 'Let Microsoft Update on the Windows host install the newest EFLOW; 1.6 is for x64 only and needs 1.5.7 first';
    case 'edgeAgent':
    case 'edgeHub':
      return `Set "image" of ${target} under "systemModules" of the deployment to a supported version, the same for edgeAgent and edgeHub`;
    case 'engine':
      return 'Update it: `sudo apt-get install moby-engine`, on EFLOW with EFLOW itself. Below IoT Edge 1.6, stay below 29';
    case 'os':
      return product === 'mariner' || product === 'azurelinux'
        ? 'On EFLOW, let Microsoft Update on the Windows host install the newest EFLOW, which has a supported system'
        : 'Plan the upgrade to a supported release that IoT Edge has packages for. With an extended support contract, set the day in checks.runtimeLifecycle.dates of the policy';
  }
}
