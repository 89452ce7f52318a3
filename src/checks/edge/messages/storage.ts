import type { Host } from '../../../host.ts';
import type { Part } from './part.ts';

type Modules = Awaited<ReturnType<Host['modules']>>['modules'];
type Containers = Awaited<ReturnType<Host['containers']>>;

/** Whether edgeAgent's state outlives its container; undefined where its labels do not say. */
export function judgeAgentStorage(modules: Modules): Part | undefined {
  const storage = modules.find(({ name }) => name === 'edgeAgent')?.storage;
  return storage && judge('edgeAgent', storage.folder, storage.isMounted);
}

/** Whether the messages that edgeHub stores outlive its container; undefined where there is none of that name. */
export function judgeHubStorage(containers: Containers): Part | undefined {
  const hub = containers.find(({ name }) => name.replace(/^\//, '') === 'edgeHub');
  if (!hub) return undefined;
  // Where edgeHub puts it (Edge.Hub.Service, GetStoragePath).
  const folder = `${trimmed(hub.storageFolder || '/tmp')}/edgeHub`;
  const holds = (target: string) => `${folder}/`.startsWith(`${trimmed(target)}/`);
  const isMounted = hub.mounts.some(({ type, target }) => type !== 'tmpfs' && holds(target));
  return judge('edgeHub', folder, isMounted);
}

const trimmed = (path: string): string => (path.endsWith('/') ? trimmed(path.slice(0, -1)) : path);

const contents = { edgeAgent: 'its state', edgeHub: 'stored messages and twins' } as const;

function judge(target: 'edgeAgent' | 'edgeHub', folder: string, isMounted: boolean): Part {
  if (isMounted) return { target, message: `${target} keeps ${contents[target]} in ${folder}, on a mount` };
  const message = `${target} keeps ${contents[target]} in ${folder} of its container, without a mount: an update of ${target} loses them`;
  return {
    target,
    message,
    problems: [
      {
        status: 'warn',
        reason: 'storage_not_persistent',
        message,
        remedy:
          `Give ${target} a folder of the device: in the deployment, set its environment variable storageFolder to "/iotedge/storage", and add { "Type": "bind", "Source": ` +
          `"/var/lib/iotedge/${target}", "Target": "/iotedge/storage" } to "Mounts" in its createOptions. The folder must exist and belong to the user of ${target}`,
      },
    ],
  };
}
