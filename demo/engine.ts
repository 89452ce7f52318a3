import { createServer } from 'node:http';

/** What an engine's inspection of a container has, as far as the agent looks at it. */
const container = (name: string, image: string, hostConfig: object = {}) => ({
  Name: `/${name}`,
  State: { Running: true },
  Config: { Image: image, User: name.startsWith('edge') ? '' : '65532', Env: [] },
  Mounts: [],
  HostConfig: {
    NetworkMode: 'azure-iot-edge',
    ReadonlyRootfs: true,
    SecurityOpt: ['no-new-privileges:true'],
    LogConfig: { Type: 'local', Config: {} },
    ...hostConfig,
  },
});

const registry = 'mcr.microsoft.com/azureiotedge';
const hub = container('edgeHub', `${registry}-hub:1.6.0`, {
  PortBindings: { '443/tcp': [{ HostPort: '443' }], '8883/tcp': [{ HostPort: '8883' }] },
});

/** The modules of the simulator as containers; one of them asks for more than it should. */
const containers = [
  container('edgeAgent', `${registry}-agent:1.6.0`),
  {
    ...hub,
    Mounts: [{ Type: 'bind', Source: '/var/lib/iotedge/edgeHub', Destination: '/tmp/edgeHub', RW: true }],
  },
  container('hardening', 'registry.example.com/hardening:1.0.0'),
  container('plcGateway', 'registry.example.com/plc-gateway:latest', {
    NetworkMode: 'host',
    CapAdd: ['NET_ADMIN'],
  }),
];

const idOf = (index: number): string => `${index + 1}`.padStart(64, '0');

const answers = new Map<string, unknown>([
  ['/version', { Version: '25.0.3', ApiVersion: '1.44', MinAPIVersion: '1.24' }],
  [
    '/info',
    {
      SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
      LoggingDriver: 'local',
      LiveRestoreEnabled: true,
      ExperimentalBuild: false,
    },
  ],
  ['/containers/json?all=1', containers.map((_, index) => ({ Id: idOf(index) }))],
  ...containers.map((each, index): [string, unknown] => [`/containers/${idOf(index)}/json`, each]),
]);

/** A stand-in for the container engine of the simulated device, on a unix socket. */
export async function startEngine(socketPath: string): Promise<{ close(): void }> {
  const server = createServer(({ method, url = '' }, response) => {
    const answer = method === 'GET' ? answers.get(url.replace(/^\/v1\.\d+/, '')) : undefined;
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(JSON.stringify(answer ?? { message: 'not found' }));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
