import { createHmac } from 'node:crypto';
import { within } from '../../deadline.ts';
import { readRegularFile } from '../../read-file.ts';
import { createWorkload } from './workload.ts';

/** What a module needs to connect to edgeHub. */
export interface ModuleCredentials {
  /** The IoT hub. */
  readonly host: string;
  /** The name of edgeHub, with an optional port. */
  readonly gateway?: string | undefined;
  readonly device: string;
  readonly module: string;
  /** A shared access signature that is valid for an hour. */
  readonly token: string;
  /** PEM of the authorities to trust; without it, those of Node.js. */
  readonly ca?: string | undefined;
}

/** Where the credentials come from. */
export interface ModuleCredentialSource {
  readonly name: 'the workload API' | 'the connection string';
  readonly failure: 'workload_api_failed' | 'offline';
  get(signal: AbortSignal): Promise<ModuleCredentials>;
}

const tokenSeconds = 3600;
// A TPM signs in about a second.
const callSeconds = 20;
const maxCaBytes = 1024 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/** The credentials of the module that edgeAgent describes in the environment, or those of a connection string. */
export function createCredentials(environment: Environment, now: () => Date): ModuleCredentialSource {
  const connectionString = environment.EdgeHubConnectionString || environment.IotHubConnectionString;
  return connectionString
    ? {
        name: 'the connection string',
        failure: 'offline',
        get: (signal) => fromConnectionString(connectionString, environment, now(), signal),
      }
    : {
        name: 'the workload API',
        failure: 'workload_api_failed',
        get: (signal) => fromWorkload(environment, now(), signal),
      };
}

async function fromWorkload(
  environment: Environment,
  now: Date,
  signal: AbortSignal,
): Promise<ModuleCredentials> {
  const {
    IOTEDGE_WORKLOADURI: uri = '',
    IOTEDGE_IOTHUBHOSTNAME: host = '',
    IOTEDGE_GATEWAYHOSTNAME: gateway,
    IOTEDGE_DEVICEID: device = '',
    IOTEDGE_MODULEID: module = '',
    IOTEDGE_MODULEGENERATIONID: generation = '',
  } = environment;
  const workload = createWorkload(uri);
  const ca = await inTime('GET /trust-bundle', signal, workload.trustBundle);
  const signed = `POST /modules/${module}/genid/${generation}/sign`;
  const sign = (data: string) =>
    inTime(signed, signal, (deadline) => workload.sign({ name: module, generation }, data, deadline));
  const token = await tokenFor({ host, device, module }, now, sign);
  return { host, gateway: gateway || undefined, device, module, token, ca };
}

const inTime = <T>(
  what: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> =>
  within(callSeconds, signal, work).catch((cause: unknown) => {
    throw new Error(`${what} failed`, { cause });
  });

async function fromConnectionString(
  text: string,
  environment: Environment,
  now: Date,
  signal: AbortSignal,
): Promise<ModuleCredentials> {
  const fields = new Map(text.split(';').map((field) => splitOnce(field)));
  const [host = '', device = '', module = ''] = ['HostName', 'DeviceId', 'ModuleId'].map((name) =>
    fields.get(name),
  );
  const key = Buffer.from(fields.get('SharedAccessKey') ?? '', 'base64');
  const sign = async (data: string) => createHmac('sha256', key).update(data).digest('base64');
  const file = environment.EdgeModuleCACertificateFile;
  const ca = file
    ? await readRegularFile(file, { maxBytes: maxCaBytes }, signal).catch((cause: unknown) => {
        throw new Error(`Could not read ${file} (EdgeModuleCACertificateFile)`, { cause });
      })
    : undefined;
  const token = await tokenFor({ host, device, module }, now, sign);
  return { host, gateway: fields.get('GatewayHostName'), device, module, ca: ca?.toString(), token };
}

/** Documented at "Control access to IoT Hub with shared access signatures". */
async function tokenFor(
  { host, device, module }: Pick<ModuleCredentials, 'host' | 'device' | 'module'>,
  now: Date,
  sign: (data: string) => Promise<string>,
): Promise<string> {
  const resource = encodeStrictly(`${host}/devices/${device}/modules/${module}`);
  const expiry = Math.ceil(now.getTime() / 1000) + tokenSeconds;
  const signature = encodeStrictly(await sign(`${resource}\n${expiry}`));
  return `SharedAccessSignature sr=${resource}&sig=${signature}&se=${expiry}`;
}

/** Percent-encodes all reserved characters of RFC 3986. */
const encodeStrictly = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function splitOnce(field: string): [string, string] {
  const [name = '', ...value] = field.split('=');
  return [name, value.join('=')];
}
