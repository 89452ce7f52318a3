import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const timeoutMs = 30_000;

export interface Response {
  readonly status: number;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends an HTTP request over a new connection. Rejects after 30 s without a response. */
export async function send(
  url: string,
  { method = 'GET', headers, body }: RequestOptions = {},
): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, headers, agent: false, signal }, resolve).on('error', reject).end(body);
  });
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/** Sends a GET as Prometheus does, over a new connection. Rejects for any status but 200. */
export async function scrape(url: string): Promise<void> {
  const { status } = await send(url, { headers: { 'accept-encoding': 'gzip' } });
  if (status !== 200) throw new Error(`${url} returned status ${status}`);
}
