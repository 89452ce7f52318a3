import type { Container } from '../../host/engine/types.ts';
import type { containerReasons } from './container-rules.ts';

type Needs = Readonly<Partial<Record<(typeof containerReasons)[number], string>>>;

/** Both modules of the runtime: their entry points give their folders to a user and step down to it. */
const both: Needs = {
  root_user: 'it starts as root and steps down to a user of its own',
  writable_root: 'it keeps its state below /tmp unless told otherwise',
  no_memory_limit: 'its memory grows with its modules and messages',
};

const needs: Readonly<Record<string, Needs>> = {
  edgeAgent: both,
  edgeHub: {
    ...both,
    // Its program has a file capability for ports below 1024, which no-new-privileges would take away.
    new_privileges: 'it needs a file capability for port 443',
    privileged_port: 'it serves HTTPS on port 443',
  },
};

/** What edgeAgent and edgeHub break by design, each with why (iotedge, edge-agent/docker, edge-hub/docker). */
export const runtimeNeeds = ({ name }: Container): Needs =>
  Object.hasOwn(needs, name) ? (needs[name] ?? {}) : {};
