// Runs in the world's namespace: the servers that a JSON file describes, until it is ended.
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A server on every address of the world. Without a chain it accepts connections and sends nothing. */
export interface WorldServer {
  readonly ports: readonly number[];
  readonly chain?: string;
  readonly key?: string;
  /** Answers to GET by path; without it TLS is all that is spoken. Any other path is 404. */
  readonly answers?: Readonly<Record<string, { readonly status: number; readonly type?: string }>>;
}

const ignoreErrors = (socket: Socket) => void socket.on('error', () => undefined);

const servers: WorldServer[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
for (const { ports, chain, key, answers } of servers) {
  const http = createHttpServer(({ url = '' }, response) => {
    const { status, type } = answers?.[url] ?? { status: 404 };
    response.writeHead(status, type ? { 'Content-Type': type } : {}).end();
  });
  for (const port of ports) {
    const server = chain
      ? createTlsServer({ cert: chain, key: key ?? '' }, (socket) => {
          ignoreErrors(socket);
          if (answers) http.emit('connection', socket);
        })
      : createServer(ignoreErrors);
    server.listen(port, '::');
  }
}
