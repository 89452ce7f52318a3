import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from '../temp-folder.ts';

/** What an engine answers to a path without its version: JSON, or the whole answer. */
type Answer = RequestListener | string | { readonly [key: string]: unknown } | readonly unknown[];

interface FakeEngine {
  readonly socketPath: string;
  /** Every request so far, `GET /v1.47/info`. */
  readonly asked: readonly string[];
}

/** A container engine's socket that answers as told, 404 to everything else. */
export async function fakeEngine(
  answers: Readonly<Record<string, Answer>>,
  version: object | RequestListener = { Version: '27.3.1', ApiVersion: '1.47', MinAPIVersion: '1.24' },
): Promise<FakeEngine> {
  const socketPath = join(await tempFolder(), 'engine.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    asked.push(`${method} ${url}`);
    const answer = url === '/version' ? version : answers[url.replace(/^\/v1\.\d+/, '')];
    if (answer === undefined) response.writeHead(404).end('{"message":"not found"}');
    else if (typeof answer === 'function') answer(request, response);
    else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  server.listen(socketPath);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { socketPath, asked };
}
