import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { sign } from '../edge-hub/connect.ts';
import type { Faults } from '../edge-hub/faults.ts';
import { HttpError, type Reply, type Request, serve } from '../http.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import type { DeviceCertificates } from './certificates.ts';
import type { Identity } from './identity.ts';
import type { ModuleList } from './modules.ts';
import { dayMs } from './pki.ts';

// edgelet-http/src/version.rs
const apiVersions = [
  '2018-06-28',
  '2019-01-30',
  '2019-10-22',
  '2019-11-05',
  '2020-07-07',
  '2021-12-07',
  '2022-08-03',
];
const certificateDays = 90;

export interface WorkloadOptions {
  readonly identity: Identity;
  readonly key: Buffer;
  readonly certificates: DeviceCertificates;
  readonly modules: ModuleList;
  faults(): Faults;
}

/**
 * Creates edged's workload API with edged's errors. edged identifies its caller by process id; here every caller is the
 * simulator's module, and requests for another module are forbidden.
 */
export function createWorkloadApi({ identity, key, certificates, modules, faults }: WorkloadOptions): Server {
  const digest = ({ data }: JsonObject): Reply => {
    if (typeof data !== 'string') throw new HttpError(422, 'missing field `data`');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(data)) {
      throw new HttpError(400, 'invalid parameter: data is not base64');
    }
    return { status: 200, body: { digest: sign(key, Buffer.from(data, 'base64')).toString('base64') } };
  };

  const serverCertificate = async ({ commonName }: JsonObject): Promise<Reply> => {
    if (typeof commonName !== 'string') throw new HttpError(422, 'missing field `commonName`');
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + certificateDays * dayMs);
    const names = [commonName, identity.moduleId];
    const { key: privateKey, chain } = await certificates.edgeCa.issue({ commonName, names, notAfter });
    const expiration = notAfter.toISOString();
    return {
      status: 201,
      body: { privateKey: { type: 'key', bytes: privateKey }, certificate: chain, expiration },
    };
  };

  /** Reads the body before checking the module, as edged does. */
  const handleForModule = (
    moduleId: string | undefined,
    request: Request,
    handle: (body: JsonObject) => Reply | Promise<Reply>,
  ) => {
    if (request.method !== 'POST') throw notAllowed();
    const body = parseBody(request);
    if (decodeURIComponent(moduleId ?? '').replace(/^\$+/, '') !== identity.moduleId) {
      throw new HttpError(403, 'forbidden');
    }
    if (body === undefined) throw new HttpError(400, 'missing parameter: request body');
    return handle(body);
  };

  const handle = (request: Request) => {
    checkApiVersion(request.query.get('api-version'));
    const { method, path } = request;
    const staticBody = {
      '/trust-bundle': { certificate: certificates.root },
      '/manifest-trust-bundle': { certificate: '' },
      '/modules': { modules: modules.list() },
    }[path.replace(/(?<=.)\/$/, '')];
    if (staticBody !== undefined) {
      if (method !== 'GET') throw notAllowed();
      return { status: 200, body: staticBody };
    }
    const signing = /^\/modules\/([^/]+)\/genid\/[^/]+\/sign$/.exec(path);
    if (signing) return handleForModule(signing[1], request, digest);
    const issuing = /^\/modules\/([^/]+)\/genid\/[^/]+\/certificate\/server$/.exec(path);
    if (issuing) return handleForModule(issuing[1], request, serverCertificate);
    throw new HttpError(404, 'not found');
  };
  return serve('message', async (request) => (await faultyReply(faults())) ?? handle(request));
}

/** The reply that a fault causes, or its delay. */
async function faultyReply({ workload, workloadDelaySeconds }: Faults): Promise<Reply | undefined> {
  switch (workload) {
    case 'normal':
      return undefined;
    case 'slow':
      await delay(workloadDelaySeconds * 1000, undefined, { ref: false });
      return undefined;
    case 'error':
      throw new HttpError(500, 'the fault "workload" is set');
    case 'hangs':
      return new Promise<never>(() => undefined);
    case 'malformed':
      return { status: 200, body: {} };
  }
}

function checkApiVersion(version: string | null): void {
  if (version === null) throw new HttpError(400, 'api-version not specified');
  if (!apiVersions.includes(version)) throw new HttpError(400, `invalid api-version "${version}"`);
}

/** Undefined for an empty body and for another content type than JSON. */
function parseBody({ body, contentType = 'application/json' }: Request): JsonObject | undefined {
  if (body === '' || contentType !== 'application/json') return undefined;
  const parsed = parseJson(body, 422);
  if (!isObject(parsed)) throw new HttpError(422, 'invalid type: expected an object');
  return parsed;
}

// edged uses 400, not 405.
const notAllowed = () => new HttpError(400, 'method not allowed');
