import * as z from 'zod';
import {
  type HttpProxy,
  parseEndpoint,
  parsePort,
  parseProxy,
  withoutCredentials,
  withoutSecrets,
} from './endpoint.ts';
import type { Names } from './host.ts';
import { logLevels } from './log.ts';
import { didYouMean } from './nearest.ts';

/** The process environment, read once. */
export interface Config {
  /** `edge`: connects to a hub. */
  readonly mode: 'edge' | 'standalone';
  readonly names: Names;
  readonly module: string | undefined;
  readonly workloadUri: string | undefined;
  readonly policyFile: string | undefined;
  readonly address: string;
  readonly port: number;
  /** Lower-case names in `Host` headers that are answered; empty: all. */
  readonly allowedHosts: readonly string[];
  readonly stateDir: string;
  readonly hostRoot: string;
  readonly dockerSocket: string;
  /** The metrics pages of the IoT Edge runtime; undefined where the agent is no module and none is set. */
  readonly metricsPages: { readonly edgeAgent: string | undefined; readonly edgeHub: string | undefined };
  readonly metricsIdentity: 'labels' | 'info';
  readonly logFormat: 'iotedge' | 'json';
  readonly logLevel: string;
  /** How to reach edgeHub. */
  readonly transport: 'mqtt' | 'mqttws' | 'auto';
  readonly proxy: HttpProxy | undefined;
  readonly noProxy: string;
  /** PEM files with certificate authorities to trust in addition to Node's. */
  readonly caFiles: readonly string[];
  /** What is set but has no effect. */
  readonly warnings: readonly string[];
}

/** An invalid environment variable. The message is one line: the variable, what is allowed, the value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

const required = [
  'IOTEDGE_WORKLOADURI',
  'IOTEDGE_DEVICEID',
  'IOTEDGE_MODULEID',
  'IOTEDGE_IOTHUBHOSTNAME',
  'IOTEDGE_AUTHSCHEME',
  'IOTEDGE_MODULEGENERATIONID',
];

/** Reads the environment. Throws a {@link ConfigError} for the first invalid value. */
export function readConfig(environment: Environment): Config {
  const known = new Set<string>();
  const env = (name: string) => {
    known.add(name);
    return environment[name] || undefined;
  };
  const connectionString = env('EdgeHubConnectionString') ?? env('IotHubConnectionString');
  const isModule = Object.keys(environment).some((name) => name.startsWith('IOTEDGE_') && env(name));
  if (isModule && !connectionString) checkModule(env);
  if (env('HARDENING_WEB_CONFIG')) {
    // Serving plain HTTP where TLS was configured would be worse than not starting.
    throw new ConfigError(
      `HARDENING_WEB_CONFIG must be unset, got "${env('HARDENING_WEB_CONFIG')}": this version serves plain HTTP only`,
    );
  }
  const parts = connectionParts(connectionString);
  if (connectionString) {
    checkConnection(
      env('EdgeHubConnectionString') ? 'EdgeHubConnectionString' : 'IotHubConnectionString',
      parts,
    );
  }
  return {
    mode: isModule || connectionString ? 'edge' : 'standalone',
    names: withoutUndefined({
      iothub: env('IOTEDGE_IOTHUBHOSTNAME') ?? parts.HostName,
      gateway: env('IOTEDGE_GATEWAYHOSTNAME') ?? parts.GatewayHostName,
      device: env('IOTEDGE_DEVICEID') ?? parts.DeviceId,
    }),
    module: env('IOTEDGE_MODULEID') ?? parts.ModuleId,
    workloadUri: socketUri('IOTEDGE_WORKLOADURI', env('IOTEDGE_WORKLOADURI')),
    policyFile: env('HARDENING_POLICY_FILE'),
    address: address('HARDENING_ADDRESS', env('HARDENING_ADDRESS') ?? '0.0.0.0'),
    port: port('HARDENING_PORT', env('HARDENING_PORT') ?? '9600'),
    allowedHosts: hosts('HARDENING_ALLOWED_HOSTS', env('HARDENING_ALLOWED_HOSTS') ?? ''),
    stateDir: absolute('HARDENING_STATE_DIR', env('HARDENING_STATE_DIR') ?? '/var/lib/eflow-hardening'),
    hostRoot: absolute('HARDENING_HOST_ROOT', env('HARDENING_HOST_ROOT') ?? '/host'),
    dockerSocket: absolute(
      'HARDENING_DOCKER_SOCKET',
      env('HARDENING_DOCKER_SOCKET') ?? '/var/run/docker.sock',
    ),
    metricsPages: {
      edgeAgent: page(
        'HARDENING_EDGEAGENT_METRICS',
        env('HARDENING_EDGEAGENT_METRICS') ?? (isModule ? 'http://edgeAgent:9600/metrics' : undefined),
      ),
      edgeHub: page(
        'HARDENING_EDGEHUB_METRICS',
        env('HARDENING_EDGEHUB_METRICS') ?? (isModule ? 'http://edgeHub:9600/metrics' : undefined),
      ),
    },
    metricsIdentity: oneOf('HARDENING_METRICS_IDENTITY', env('HARDENING_METRICS_IDENTITY') ?? 'info', [
      'info',
      'labels',
    ]),
    logFormat: oneOf('HARDENING_LOG_FORMAT', env('HARDENING_LOG_FORMAT') ?? 'iotedge', ['iotedge', 'json']),
    logLevel: logLevel(env('RuntimeLogLevel') ?? 'info'),
    transport: oneOf('HARDENING_TRANSPORT', env('HARDENING_TRANSPORT') ?? 'auto', ['mqtt', 'mqttws', 'auto']),
    proxy: proxy('https_proxy', env('https_proxy')) ?? proxy('HTTPS_PROXY', env('HTTPS_PROXY')),
    noProxy: env('no_proxy') ?? env('NO_PROXY') ?? '',
    caFiles: [env('EdgeModuleCACertificateFile'), env('NODE_EXTRA_CA_CERTS')].filter(
      (path) => path !== undefined,
    ),
    // Last, when every variable that means something has been read.
    warnings: unknownVariables(environment, [...known]),
  };
}

/** A warning for each variable that looks like one of ours and is not. */
function unknownVariables(environment: Environment, known: readonly string[]): readonly string[] {
  const isOurs = (name: string) => name.startsWith('HARDENING_');
  const names = known.filter(isOurs);
  return Object.keys(environment)
    .filter((name) => isOurs(name) && !names.includes(name))
    .map((name) => `Unknown variable ${name} is ignored${didYouMean(name, names)}`);
}

/** Checks what the SDK reports only when it connects, as a ReferenceError. */
function checkModule(env: (name: string) => string | undefined): void {
  const missing = required.filter((name) => !env(name));
  if (missing.length > 0) {
    throw new ConfigError(`${missing.join(', ')} must be set when other IOTEDGE_ variables are set`);
  }
  const scheme = env('IOTEDGE_AUTHSCHEME') ?? '';
  if (scheme.toLowerCase() !== 'sastoken') reject('IOTEDGE_AUTHSCHEME', scheme, 'sasToken');
}

/** Names the missing fields only, because the value contains a key. */
function checkConnection(name: string, parts: Readonly<Record<string, string>>): void {
  const missing = ['HostName', 'DeviceId', 'ModuleId'].filter((field) => !parts[field]);
  if (!parts.key) missing.push('a key');
  if (missing.length === 0) return;
  throw new ConfigError(
    `${name} must be a module connection string (HostName=...;DeviceId=...;ModuleId=...;SharedAccessKey=...), got one without ${missing.join(', ').replace(/, (?=[^,]*$)/, ' and ')}`,
  );
}

function reject(name: string, value: string, allowed: string): never {
  throw new ConfigError(`${name} must be ${allowed}, got "${value}"`);
}

function oneOf<const T extends string>(name: string, value: string, allowed: readonly T[]): T {
  return allowed.find((each) => each === value) ?? reject(name, value, listed(allowed));
}

/** `a, b or c` */
function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${last}` : last;
}

const port = (name: string, value: string): number =>
  parsePort(value) ?? reject(name, value, 'a port from 0 to 65535 (0 picks a free port)');

function proxy(name: string, value: string | undefined): HttpProxy | undefined {
  const text = value?.trim();
  return text ? (parseProxy(text) ?? reject(name, withoutCredentials(text), 'http://host:port')) : undefined;
}

/** An address, no host names except localhost: they may not resolve, or resolve to another address later. */
const address = (name: string, value: string): string =>
  z.union([z.ipv4(), z.ipv6(), z.literal('localhost')]).safeParse(value).data ??
  reject(name, value, 'an IPv4 or IPv6 address or localhost, without a port');

const hosts = (name: string, value: string): string[] =>
  value
    .split(',')
    .map((each) => each.trim().toLowerCase().replace(/\.$/, ''))
    .filter(Boolean)
    .map((each) =>
      /^[a-z0-9._-]{1,253}$/.test(each) || z.ipv6().safeParse(each).success
        ? each
        : reject(name, value, 'host names separated by commas, without ports'),
    );

const absolute = (name: string, value: string): string =>
  value.startsWith('/') ? value : reject(name, value, 'an absolute path');

function socketUri(name: string, value: string | undefined): string | undefined {
  return value === undefined || /^unix:\/\/\/./.test(value)
    ? value
    : reject(name, value, 'unix:///path/to/socket');
}

/** The address of a page: no user name, and no query, which might be secret. */
function page(name: string, value: string | undefined): string | undefined {
  const [, authority = ''] = /^http:\/\/([^/?#@\\]+)(?:\/[^?#@\s\\]*)?$/.exec(value ?? '') ?? [];
  return value === undefined || (typeof parseEndpoint(authority, 80) !== 'string' && URL.canParse(value))
    ? value
    : reject(name, withoutSecrets(withoutCredentials(value)), 'http://host[:port][/path]');
}

function logLevel(value: string): string {
  const level = Object.entries(logLevels).find(([name]) => name === value.toLowerCase())?.[1];
  return level ?? reject('RuntimeLogLevel', value, `one of ${Object.keys(logLevels).join(', ')}`);
}

/** The fields of an IoT Hub connection string; of a key only whether it is present. */
function connectionParts(text: string | undefined): Record<string, string> {
  const fields = (text ?? '').split(';').map((field) => field.split('='));
  return Object.fromEntries(
    fields.map(([name = '', ...value]) =>
      name === 'SharedAccessKey' && value.join('') ? ['key', 'given'] : [name, value.join('=')],
    ),
  );
}

const withoutUndefined = (names: { [K in keyof Names]: string | undefined }): Names =>
  Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined));
