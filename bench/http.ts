import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const answerMs = 30_000;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** How a request is made. Without an agent it has a connection of its own. */
export interface Asking {
  readonly method?: string;
  readonly agent?: Agent;
  readonly body?: string;
}

/** Asks over http. Rejects when nobody answers within 30 s. */
export async function get(url: string, { method = 'GET', agent, body }: Asking = {}): Promise<Answer> {
  const signal = AbortSignal.timeout(answerMs);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, agent: agent ?? false, signal }, resolve)
      .on('error', reject)
      .end(body);
  });
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/** Asks so often, one after the other, and gives how long each answer took, in seconds. */
export async function timeGets(url: string, times: number, connections: 'kept' | 'fresh'): Promise<number[]> {
  const agent = connections === 'kept' ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  const seconds: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const started = performance.now();
    const { status } = await get(url, agent ? { agent } : {});
    seconds.push((performance.now() - started) / 1000);
    if (status !== 200) throw new Error(`${url} answered ${status}`);
  }
  agent?.destroy();
  return seconds;
}
