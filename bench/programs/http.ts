import { Agent, get, type IncomingMessage, request } from 'node:http';
import { buffer, text } from 'node:stream/consumers';

const timeoutMs = 30_000;

export interface Response {
  readonly status: number;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  /** Default: a new connection for this request. */
  readonly agent?: Agent;
  readonly body?: string;
}

/** Sends an HTTP request. Rejects after 30 s without a response. */
export async function send(
  url: string,
  { method = 'GET', agent, body }: RequestOptions = {},
): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, agent: agent ?? false, signal }, resolve)
      .on('error', reject)
      .end(body);
  });
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/**
 * Sends `count` GETs one after the other, with Prometheus's `Accept-Encoding`. Returns the duration of each in seconds, to
 * the last byte.
 */
export async function timeGets(url: string, count: number, connections: 'reused' | 'new'): Promise<number[]> {
  const agent = connections === 'reused' ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
  const seconds: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const started = performance.now();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs);
      get(url, { agent, signal, headers: { 'accept-encoding': 'gzip' } }, resolve).on('error', reject);
    });
    await buffer(response);
    seconds.push((performance.now() - started) / 1000);
    if (response.statusCode !== 200) throw new Error(`${url} returned status ${response.statusCode}`);
  }
  if (agent) agent.destroy();
  return seconds;
}
