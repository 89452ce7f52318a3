import { createHmac } from 'node:crypto';
import { isTimeout, within } from '../../deadline.ts';
import { readRegularFile } from '../../read-file.ts';
import { createWorkload } from './workload.ts';

const tokenSeconds = 3600;
// A TPM signs in about a second.
const callSeconds = 20;
const maxCaBytes = 1024 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The credentials of the module that edgeAgent describes in the environment, or those of a connection string, as the hub's
 * `CredentialSource` describes them.
 */
export function createCredentials(environment: Environment, now: () => Date) {
  const connectionString = environment.EdgeHubConnectionString || environment.IotHubConnectionString;
  return connectionString
    ? {
        name: 'the connection string',
        failure: 'offline' as const,
        get: (signal: AbortSignal) => fromConnectionString(connectionString, environment, now(), signal),
      }
    : {
        name: 'the workload API',
        failure: 'workload_api_failed' as const,
        get: (signal: AbortSignal) => fromWorkload(environment, now(), signal),
      };
}

async function fromWorkload(environment: Environment, now: Date, signal: AbortSignal) {
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
    // Any other error names the request itself.
    if (!isTimeout(cause) || signal.aborted) throw cause;
    throw new Error(`${what} was not answered`, { cause });
  });

async function fromConnectionString(text: string, environment: Environment, now: Date, signal: AbortSignal) {
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
  { host, device, module }: Readonly<Record<'host' | 'device' | 'module', string>>,
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
