import type { Check } from '../check.ts';
import { certificateChain } from './certificate-chain.ts';
import { certificateExpiry } from './certificate-expiry.ts';
import { clockDrift } from './clock-drift.ts';
import { diskSpace } from './disk-space.ts';
import { dnsResolution } from './dns-resolution.ts';
import { outboundContainment } from './outbound-containment.ts';
import { outboundReachability } from './outbound-reachability.ts';
import { stateFolder } from './state-folder.ts';

/** Every check the agent knows, in the order people see them. */
export const checks: readonly Check[] = [
  clockDrift,
  certificateExpiry,
  certificateChain,
  diskSpace,
  outboundReachability,
  outboundContainment,
  dnsResolution,
  stateFolder,
];
