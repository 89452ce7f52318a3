import type { Server } from 'node:http';
import type { EdgeHub } from './edge-hub/edge-hub.ts';
import { allowedFaults, parseFaults } from './edge-hub/faults.ts';
import { HttpError, type Reply, type Request, serve } from './http.ts';
import { isObject, type Json, parseJson, unexpected } from './json.ts';
import type { EdgeMetrics } from './metrics/edge-metrics.ts';
import type { ModuleList } from './workload/modules.ts';

export interface AdminParts {
  readonly hub: EdgeHub;
  readonly modules: ModuleList;
  readonly edgeMetrics: EdgeMetrics;
}

/** The admin API: acts as the cloud and injects faults. Errors are `{ "error": "…" }`. */
export function createAdmin(parts: AdminParts): Server {
  const { hub } = parts;
  const endpoints = endpointsOf(parts);
  return serve('error', async (request) => {
    const { method, path } = request;
    if (`${method} ${path}` === 'GET /') {
      const requests = Object.fromEntries(endpoints.map(({ name, does }) => [name, does]));
      return { status: 200, body: { requests, faults: allowedFaults } };
    }
    const endpoint = endpoints.find(({ name }) => name === `${method} ${path}`);
    if (endpoint?.handle) return { status: 200, body: await endpoint.handle(request) };
    const methodPath = /^\/methods\/([^/]+)$/.exec(path);
    if (method === 'POST' && methodPath?.[1] !== undefined) return invoke(hub, methodPath[1], request);
    const names = endpoints.map(({ name }) => name).join(', ');
    throw new HttpError(404, `Not found: ${method} ${path}. Available: GET /, ${names}`);
  });
}

interface Endpoint {
  readonly name: string;
  readonly does: string;
  /** Absent where the path varies. */
  handle?(request: Request): unknown;
}

function endpointsOf({ hub, modules, edgeMetrics }: AdminParts): readonly Endpoint[] {
  const list = () => ({ modules: modules.list() });
  return [
    { name: 'GET /twin', does: 'returns the module twin', handle: () => hub.twin() },
    {
      name: 'PATCH /twin/desired',
      does: 'applies a JSON merge patch to the desired properties and pushes it to the module',
      handle({ body }) {
        const patch = parseJson(body);
        if (!isObject(patch)) throw unexpected('The body', 'a JSON object', patch);
        return hub.patchDesired(patch);
      },
    },
    {
      name: 'POST /methods/NAME',
      does: 'invokes a direct method; ?connectTimeoutInSeconds= and ?responseTimeoutInSeconds= set time limits',
    },
    { name: 'GET /messages', does: 'returns the device-to-cloud messages so far', handle: hub.messages },
    { name: 'GET /faults', does: 'returns the faults and settings', handle: hub.faults },
    {
      name: 'PUT /faults',
      does: 'changes the faults and settings that the body names',
      handle: ({ body }) => hub.setFaults(parseFaults(parseJson(body))),
    },
    { name: 'GET /modules', does: 'returns the modules that the workload API lists', handle: list },
    {
      name: 'PUT /modules',
      does: 'replaces the modules that the workload API lists',
      handle({ body }) {
        modules.set(parseJson(body));
        return list();
      },
    },
    {
      name: 'GET /edge-metrics',
      does: 'returns what PUT /edge-metrics has set',
      handle: edgeMetrics.document,
    },
    {
      name: 'PUT /edge-metrics',
      does: 'replaces what edgeAgent and edgeHub count: a page as text, or an object of metrics; null resets it',
      handle({ body }) {
        edgeMetrics.set(parseJson(body));
        return edgeMetrics.document();
      },
    },
  ];
}

/** IoT Hub's default for responseTimeoutInSeconds, and its maximum for both timeouts. */
const defaultTimeoutSeconds = 30;
const maxTimeoutSeconds = 300;

async function invoke(hub: EdgeHub, name: string, { query, body }: Request): Promise<Reply> {
  const payload = (body === '' ? null : parseJson(body)) as Json;
  const connect = query.get('connectTimeoutInSeconds');
  const connectSeconds = Number(connect ?? 0);
  if (!(connectSeconds >= 0 && connectSeconds <= maxTimeoutSeconds)) {
    throw unexpected('connectTimeoutInSeconds', `from 0 to ${maxTimeoutSeconds}`, connect);
  }
  const response = query.get('responseTimeoutInSeconds');
  const responseSeconds = Number(response ?? defaultTimeoutSeconds);
  if (!(responseSeconds > 0 && responseSeconds <= maxTimeoutSeconds)) {
    throw unexpected('responseTimeoutInSeconds', `greater than 0 and at most ${maxTimeoutSeconds}`, response);
  }
  const timeouts = { connectSeconds, responseSeconds };
  return { status: 200, body: await hub.invokeMethod(decodeURIComponent(name), payload, timeouts) };
}
