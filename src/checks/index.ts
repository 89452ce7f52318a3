import type { Check } from '../check.ts';
import { hubConnection } from './agent/hub-connection.ts';
import { policyInForce } from './agent/policy-in-force.ts';
import { stateFolder } from './agent/state-folder.ts';
import { certificateChain } from './certificates/certificate-chain.ts';
import { certificateExpiry } from './certificates/certificate-expiry.ts';
import { clockDrift } from './clock/clock-drift.ts';
import { diskSpace } from './disk/disk-space.ts';
import { imagePinning } from './edge/image-pinning.ts';
import { messageFlow } from './edge/message-flow.ts';
import { moduleHealth } from './edge/module-health.ts';
import { proxySettings } from './edge/proxy-settings.ts';
import { containerEngine } from './engine/container-engine.ts';
import { containerPosture } from './engine/container-posture.ts';
import { filePermissions } from './files/file-permissions.ts';
import { provisioning } from './identity/provisioning.ts';
import { dnsResolution } from './network/dns-resolution.ts';
import { listeningPorts } from './network/listening-ports.ts';
import { outboundContainment } from './network/outbound-containment.ts';
import { outboundReachability } from './network/outbound-reachability.ts';
import { sshSettings } from './ssh/ssh-settings.ts';
import { runtimeLifecycle } from './system/runtime-lifecycle.ts';
import { tpm } from './tpm/tpm.ts';

/** Every check the agent knows, in the order people see them. */
export const checks: readonly Check[] = [
  clockDrift,
  certificateExpiry,
  certificateChain,
  diskSpace,
  outboundReachability,
  outboundContainment,
  dnsResolution,
  provisioning,
  filePermissions,
  listeningPorts,
  sshSettings,
  tpm,
  imagePinning,
  runtimeLifecycle,
  proxySettings,
  containerPosture,
  containerEngine,
  messageFlow,
  moduleHealth,
  hubConnection,
  policyInForce,
  stateFolder,
];
