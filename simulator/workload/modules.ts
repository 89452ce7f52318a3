import { createHash } from 'node:crypto';
import type { Identity } from './identity.ts';

const owner = 'net.azure-devices.edge.owner';
const agent = 'Microsoft.Azure.Devices.Edge.Agent';

/** The response to `GET /modules` in edged's format, for a device with four modules. */
export function listModules({ moduleId }: Identity, startedAt: Date): object {
  const running = { startTime: startedAt.toISOString(), runtimeStatus: { status: 'running' } };
  const hourAgo = new Date(startedAt.getTime() - 3_600_000).toISOString();
  const stopped = {
    startTime: hourAgo,
    exitStatus: { exitTime: startedAt.toISOString(), statusCode: '139' },
    runtimeStatus: { status: 'failed' },
  };
  return {
    modules: [
      moduleOf('edgeAgent', 'mcr.microsoft.com/azureiotedge-agent:1.6.0', running, agentLabels),
      moduleOf('edgeHub', 'mcr.microsoft.com/azureiotedge-hub:1.6.0', running),
      moduleOf(moduleId, `registry.example.com/${moduleId.toLowerCase()}:1.0.0`, running),
      moduleOf('plcGateway', 'registry.example.com/plc-gateway:latest', stopped),
    ],
  };
}

// Only edgeAgent's own container has these two labels.
const agentLabels = {
  'net.azure-devices.edge.create-options': JSON.stringify({
    HostConfig: { Binds: ['/var/lib/iotedge/edgeAgent:/tmp/edgeAgent'] },
  }),
  'net.azure-devices.edge.env': JSON.stringify({ storageFolder: { value: '/tmp/edgeAgent' } }),
};

const moduleOf = (name: string, image: string, status: object, labels: Record<string, string> = {}) => ({
  id: 'id',
  name,
  type: 'docker',
  config: {
    settings: {
      image,
      imageHash: `sha256:${createHash('sha256').update(image).digest('hex')}`,
      createOptions: { Labels: { [owner]: agent, ...labels } },
    },
    env: [],
  },
  status,
});
