import type { Server } from 'node:http';
import type { EdgeHub } from './edge-hub/edge-hub.ts';
import { parseFaults } from './edge-hub/faults.ts';
import { HttpError, parseJson, type Request, serve } from './http.ts';
import { isObject, type Json } from './json.ts';

/** IoT Hub's default for responseTimeoutInSeconds, and its maximum for both timeouts. */
const defaultTimeoutSeconds = 30;
const maxTimeoutSeconds = 300;

/** The admin API: acts as the cloud and injects faults. Errors are `{ "error": "…" }`. */
export const createAdmin = (hub: EdgeHub): Server =>
  serve('error', async (request) => {
    const { method, path, body } = request;
    switch (`${method} ${path}`) {
      case 'GET /twin':
        return { status: 200, body: hub.twin() };
      case 'PATCH /twin/desired': {
        const patch = parseJson(body);
        if (!isObject(patch)) throw new HttpError(400, 'The body must be a JSON object');
        return { status: 200, body: hub.patchDesired(patch) };
      }
      case 'GET /messages':
        return { status: 200, body: hub.messages() };
      case 'GET /faults':
        return { status: 200, body: hub.faults() };
      case 'PUT /faults':
        return { status: 200, body: await hub.setFaults(parseFaults(parseJson(body))) };
    }
    const methodPath = /^\/methods\/([^/]+)$/.exec(path);
    if (method === 'POST' && methodPath?.[1] !== undefined) return invoke(hub, methodPath[1], request);
    throw new HttpError(404, `Not found: ${method} ${path}. Available: ${endpoints.join(', ')}`);
  });

const endpoints = [
  'GET /twin',
  'PATCH /twin/desired',
  'POST /methods/NAME',
  'GET /messages',
  'GET /faults',
  'PUT /faults',
];

async function invoke(hub: EdgeHub, name: string, { query, body }: Request) {
  const payload = (body === '' ? null : parseJson(body)) as Json;
  const connectSeconds = Number(query.get('connectTimeoutInSeconds') ?? 0);
  if (!(connectSeconds >= 0 && connectSeconds <= maxTimeoutSeconds)) {
    throw new HttpError(400, `connectTimeoutInSeconds must be from 0 to ${maxTimeoutSeconds}`);
  }
  const responseSeconds = Number(query.get('responseTimeoutInSeconds') ?? defaultTimeoutSeconds);
  if (!(responseSeconds > 0 && responseSeconds <= maxTimeoutSeconds)) {
    throw new HttpError(
      400,
      `responseTimeoutInSeconds must be greater than 0 and at most ${maxTimeoutSeconds}`,
    );
  }
  const timeouts = { connectSeconds, responseSeconds };
  return { status: 200, body: await hub.invokeMethod(decodeURIComponent(name), payload, timeouts) };
}
