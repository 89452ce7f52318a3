import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

type Environment = Readonly<Record<string, string>>;

const moduleEnvironment: Environment = {
  IOTEDGE_WORKLOADURI: 'unix:///var/run/iotedge/workload.sock',
  IOTEDGE_DEVICEID: 'press-7',
  IOTEDGE_MODULEID: 'hardening',
  IOTEDGE_IOTHUBHOSTNAME: 'plant.azure-devices.net',
  IOTEDGE_AUTHSCHEME: 'sasToken',
  IOTEDGE_MODULEGENERATIONID: '1',
  IOTEDGE_GATEWAYHOSTNAME: 'gateway',
};

const key = 'c2VjcmV0LWtleQ==';
const connectionString = `HostName=plant.azure-devices.net;DeviceId=press-7;ModuleId=hardening;SharedAccessKey=${key}`;

/** The error for this environment. */
function errorFor(environment: Environment): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

test('without any variable the mode is standalone with the documented defaults', () => {
  expect(readConfig({})).toEqual({
    mode: 'standalone',
    names: {},
    module: undefined,
    workloadUri: undefined,
    policyFile: undefined,
    address: '0.0.0.0',
    port: 9600,
    allowedHosts: [],
    stateDir: '/var/lib/eflow-hardening',
    hostRoot: '/host',
    dockerSocket: '/var/run/docker.sock',
    metricsPages: { edgeAgent: undefined, edgeHub: undefined },
    metricsIdentity: 'info',
    logFormat: 'iotedge',
    transport: 'auto',
    logLevel: 'info',
    proxy: undefined,
    noProxy: '',
    caFiles: [],
    warnings: [],
  });
});

test('an empty variable counts as unset', () => {
  const empty = { HARDENING_PORT: '', HARDENING_HOST_ROOT: '', RuntimeLogLevel: '', IOTEDGE_DEVICEID: '' };
  expect(readConfig(empty)).toEqual(readConfig({}));
});

test('the variables that edgeAgent sets select edge mode and give the names', () => {
  expect(readConfig(moduleEnvironment)).toMatchObject({
    mode: 'edge',
    names: { iothub: 'plant.azure-devices.net', gateway: 'gateway', device: 'press-7' },
    module: 'hardening',
    workloadUri: 'unix:///var/run/iotedge/workload.sock',
    metricsPages: { edgeAgent: 'http://edgeAgent:9600/metrics', edgeHub: 'http://edgeHub:9600/metrics' },
  });
});

test('the metrics pages of the runtime can be elsewhere, also for an agent that is no module', () => {
  const edgeHub = 'http://[fd00::7]:9601/edgeHub/metrics';
  expect(readConfig({ HARDENING_EDGEHUB_METRICS: edgeHub }).metricsPages).toEqual({
    edgeAgent: undefined,
    edgeHub,
  });
});

test.each(['EdgeHubConnectionString', 'IotHubConnectionString'])(
  '%s selects edge mode and gives the names',
  (name) => {
    const config = readConfig({ [name]: `${connectionString};GatewayHostName=gateway` });
    expect(config).toMatchObject({
      mode: 'edge',
      names: { iothub: 'plant.azure-devices.net', gateway: 'gateway', device: 'press-7' },
      module: 'hardening',
    });
    expect(JSON.stringify(config)).not.toContain(key);
  },
);

test.each<[string, Environment, object]>([
  ['any free port', { HARDENING_PORT: '0' }, { port: 0 }],
  ['an IPv6 address', { HARDENING_ADDRESS: '::1' }, { address: '::1' }],
  ['every IPv6 address', { HARDENING_ADDRESS: '::' }, { address: '::' }],
  ['an IPv4 address', { HARDENING_ADDRESS: '127.0.0.1' }, { address: '127.0.0.1' }],
  ['an IPv4 address in IPv6', { HARDENING_ADDRESS: '::ffff:127.0.0.1' }, { address: '::ffff:127.0.0.1' }],
  ['a host name', { HARDENING_ADDRESS: 'localhost' }, { address: 'localhost' }],
  ['a level in any case', { RuntimeLogLevel: 'Information' }, { logLevel: 'info' }],
  ['edgeAgent’s name of a level', { RuntimeLogLevel: 'verbose' }, { logLevel: 'trace' }],
  [
    'the proxy variables in capitals',
    { HTTPS_PROXY: 'http://proxy:1', NO_PROXY: 'a' },
    { proxy: { host: 'proxy', port: 1 }, noProxy: 'a' },
  ],
  [
    'https_proxy before HTTPS_PROXY',
    { https_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1' },
    { proxy: { host: 'a', port: 1 } },
  ],
  [
    'certificate authorities',
    { NODE_EXTRA_CA_CERTS: '/a.pem', EdgeModuleCACertificateFile: '/b.pem' },
    { caFiles: ['/b.pem', '/a.pem'] },
  ],
])('%s is accepted: %j', (_, environment, expected) => {
  expect(readConfig(environment)).toMatchObject(expected);
});

test.each<[string, string[]]>([
  ['hardening', ['hardening']],
  ['Hardening, gateway.plant.test. ,10.0.0.1', ['hardening', 'gateway.plant.test', '10.0.0.1']],
  ['fd00::1', ['fd00::1']],
  [' , ', []],
])('HARDENING_ALLOWED_HOSTS %j', (value, allowedHosts) => {
  expect(readConfig({ HARDENING_ALLOWED_HOSTS: value })).toMatchObject({ allowedHosts });
});

test.each<[Environment, string[]]>([
  [
    { HARDENING_POLCY_FILE: '/policy.json' },
    ['Unknown variable HARDENING_POLCY_FILE is ignored, did you mean HARDENING_POLICY_FILE?'],
  ],
  [{ HARDENING_X_Y_Z_Q_W_V_K_J_U: '' }, ['Unknown variable HARDENING_X_Y_Z_Q_W_V_K_J_U is ignored']],
  [{ HARDENING_PORT: '1', HARDENING_WEB_CONFIG: '', MY_HARDENING_X: '1', hardening_port: '1' }, []],
])('an unknown variable of ours is a warning with the nearest known name: %j', (environment, warnings) => {
  expect(readConfig(environment).warnings).toEqual(warnings);
});

const portAllowed = 'a port from 0 to 65535 (0 picks a free port)';
const levelAllowed = 'one of fatal, error, warning, info, information, debug, verbose';
const addressAllowed = 'an IPv4 or IPv6 address or localhost, without a port';

describe('the error for an invalid value contains the name, what is allowed and the value', () => {
  test.each<[Environment, string]>([
    [{ HARDENING_PORT: 'http' }, `HARDENING_PORT must be ${portAllowed}, got "http"`],
    [{ HARDENING_PORT: '65536' }, `HARDENING_PORT must be ${portAllowed}, got "65536"`],
    [{ HARDENING_PORT: '-1' }, `HARDENING_PORT must be ${portAllowed}, got "-1"`],
    [{ HARDENING_PORT: '9600.5' }, `HARDENING_PORT must be ${portAllowed}, got "9600.5"`],
    [{ HARDENING_PORT: ' 9600' }, `HARDENING_PORT must be ${portAllowed}, got " 9600"`],
    [
      { HARDENING_ADDRESS: '0.0.0.0:9600' },
      `HARDENING_ADDRESS must be ${addressAllowed}, got "0.0.0.0:9600"`,
    ],
    [{ HARDENING_ADDRESS: 'foo' }, `HARDENING_ADDRESS must be ${addressAllowed}, got "foo"`],
    [{ HARDENING_ADDRESS: '300.1.1.1' }, `HARDENING_ADDRESS must be ${addressAllowed}, got "300.1.1.1"`],
    [{ HARDENING_ADDRESS: '[::1]' }, `HARDENING_ADDRESS must be ${addressAllowed}, got "[::1]"`],
    [{ HARDENING_ADDRESS: '::1]/' }, `HARDENING_ADDRESS must be ${addressAllowed}, got "::1]/"`],
    [
      { HARDENING_ADDRESS: 'http://localhost' },
      `HARDENING_ADDRESS must be ${addressAllowed}, got "http://localhost"`,
    ],
    ...['a:9600', 'http://a', 'a b', '*'].map((value): [Environment, string] => [
      { HARDENING_ALLOWED_HOSTS: value },
      `HARDENING_ALLOWED_HOSTS must be host names separated by commas, without ports, got "${value}"`,
    ]),
    [{ HARDENING_STATE_DIR: 'state' }, 'HARDENING_STATE_DIR must be an absolute path, got "state"'],
    [{ HARDENING_HOST_ROOT: './host' }, 'HARDENING_HOST_ROOT must be an absolute path, got "./host"'],
    [
      { HARDENING_DOCKER_SOCKET: 'tcp://localhost' },
      'HARDENING_DOCKER_SOCKET must be an absolute path, got "tcp://localhost"',
    ],
    ...[
      'https://a/',
      'a:9600',
      'http://',
      'http://a:0/',
      'http://a b/',
      'http://a/?b',
      'http://a/#b',
      '/a',
    ].map((value): [Environment, string] => [
      { HARDENING_EDGEHUB_METRICS: value },
      `HARDENING_EDGEHUB_METRICS must be http://host[:port][/path], got "${value}"`,
    ]),
    [
      { HARDENING_METRICS_IDENTITY: 'label' },
      'HARDENING_METRICS_IDENTITY must be info or labels, got "label"',
    ],
    [{ HARDENING_TRANSPORT: 'amqp' }, 'HARDENING_TRANSPORT must be mqtt, mqttws or auto, got "amqp"'],
    [{ HARDENING_LOG_FORMAT: 'text' }, 'HARDENING_LOG_FORMAT must be iotedge or json, got "text"'],
    [{ RuntimeLogLevel: 'loud' }, `RuntimeLogLevel must be ${levelAllowed}, got "loud"`],
    [{ RuntimeLogLevel: 'constructor' }, `RuntimeLogLevel must be ${levelAllowed}, got "constructor"`],
    [
      { HARDENING_WEB_CONFIG: '/web.yml' },
      'HARDENING_WEB_CONFIG must be unset, got "/web.yml": this version serves plain HTTP only',
    ],
    [{ https_proxy: 'junk:' }, 'https_proxy must be http://host:port, got "junk:"'],
    [{ HTTPS_PROXY: 'http://proxy:port' }, 'HTTPS_PROXY must be http://host:port, got "http://proxy:port"'],
    [
      { https_proxy: 'socks5://proxy:1080' },
      'https_proxy must be http://host:port, got "socks5://proxy:1080"',
    ],
    [
      { ...moduleEnvironment, IOTEDGE_WORKLOADURI: 'http://localhost' },
      'IOTEDGE_WORKLOADURI must be unix:///path/to/socket, got "http://localhost"',
    ],
    [
      { ...moduleEnvironment, IOTEDGE_WORKLOADURI: 'unix:///' },
      'IOTEDGE_WORKLOADURI must be unix:///path/to/socket, got "unix:///"',
    ],
    [
      { EdgeHubConnectionString: connectionString, IOTEDGE_WORKLOADURI: 'http://localhost' },
      'IOTEDGE_WORKLOADURI must be unix:///path/to/socket, got "http://localhost"',
    ],
    [{ ...moduleEnvironment, IOTEDGE_AUTHSCHEME: 'X509' }, 'IOTEDGE_AUTHSCHEME must be sasToken, got "X509"'],
    [
      { IOTEDGE_DEVICEID: 'press-7', IOTEDGE_WORKLOADURI: 'unix:///w.sock' },
      'IOTEDGE_MODULEID, IOTEDGE_IOTHUBHOSTNAME, IOTEDGE_AUTHSCHEME, IOTEDGE_MODULEGENERATIONID must be set when other IOTEDGE_ variables are set',
    ],
    [
      { EdgeHubConnectionString: 'garbage' },
      'EdgeHubConnectionString must be a module connection string (HostName=...;DeviceId=...;ModuleId=...;SharedAccessKey=...), got one without HostName, DeviceId, ModuleId and a key',
    ],
    [
      { IotHubConnectionString: connectionString.replace('ModuleId=hardening;', '') },
      'IotHubConnectionString must be a module connection string (HostName=...;DeviceId=...;ModuleId=...;SharedAccessKey=...), got one without ModuleId',
    ],
  ])('%j', (environment, message) => {
    expect(errorFor(environment)).toBe(message);
  });
});

test.each<[string, Environment]>([
  ['a proxy', { https_proxy: 'ftp://me:s3cret@proxy:1' }],
  ['a proxy without a scheme', { https_proxy: 'me:s3cret@' }],
  ['a proxy that is no URL', { https_proxy: 'http://me:s3cret@proxy:port' }],
  ['a proxy with a line break', { https_proxy: 'socks://me:s3cr\ns3cret@proxy' }],
  ['a proxy with an @ in its password', { https_proxy: 'socks://me:s3cret@s3cret@proxy' }],
  ['a metrics page', { HARDENING_EDGEAGENT_METRICS: 'http://me:s3cret@edgeAgent:9600/metrics' }],
  ['a metrics page with a token', { HARDENING_EDGEAGENT_METRICS: 'http://edgeAgent/metrics?sig=s3cret' }],
  ['a connection string', { EdgeHubConnectionString: 'HostName=;SharedAccessKey=s3cret' }],
  [
    'a connection string with a signature instead of a key',
    { EdgeHubConnectionString: 'HostName=h;DeviceId=d;ModuleId=m;SharedAccessSignature=s3cret' },
  ],
  ['a connection string of another kind', { EdgeHubConnectionString: 's3cret' }],
  [
    'a connection string together with an invalid port',
    { EdgeHubConnectionString: `${connectionString}s3cret`, HARDENING_PORT: 'x' },
  ],
])('no message contains the secret of %s', (_, environment) => {
  const message = errorFor(environment);
  expect(message).not.toBe('accepted');
  expect(message).not.toContain('s3cret');
  expect(message).not.toContain('\n');
});
