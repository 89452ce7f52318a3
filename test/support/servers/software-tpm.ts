import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { codeOf } from '../../../src/errors.ts';
import { tempFolder } from '../temp-folder.ts';

/** The programs of Debian's packages swtpm and socat. */
export const softwareTpmPrograms = ['swtpm', 'socat'] as const;

/** A TPM 2.0 that runs here, on and started. */
export interface SoftwareTpm {
  /** Sends one command past the record. */
  transmit(command: Buffer): Promise<Buffer>;
  /** Every byte of every command that came over `device` or `simulator`, in order. */
  readonly commands: readonly Buffer[];
  /** Every byte that came over `simulator`. */
  readonly simulatorBytes: () => Buffer;
  /** What comes over either is taken and never answered, once so many more commands have been. */
  hangAfter(count: number): void;
  /** The path of a character device, a pseudo-terminal that is gone after its first use. */
  device(): Promise<string>;
  /** The port of a server of the simulator protocol. */
  simulator(): Promise<number>;
}

/** Starts swtpm with an empty state. It ends with the test. */
export async function startSoftwareTpm(): Promise<SoftwareTpm> {
  const folder = await tempFolder();
  const path = join(folder, 'swtpm.sock');
  const program = start(
    ...['swtpm', 'socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
    ...['--server', `type=unixio,path=${path}`, '--log', 'level=0'],
  );
  const socket = await connectOnce(path, program);
  const read = reader(socket);
  let turn: Promise<unknown> = Promise.resolve();
  const transmit = (command: Buffer): Promise<Buffer> => {
    const answer = turn.then(async () => {
      socket.write(command);
      return readPacket(read);
    });
    turn = answer;
    return answer;
  };

  const commands: Buffer[] = [];
  const overSimulator: Buffer[] = [];
  let devices = 0;
  let answersLeft = Number.POSITIVE_INFINITY;
  const recorded = async (command: Buffer): Promise<Buffer> => {
    commands.push(command);
    answersLeft -= 1;
    if (answersLeft < 0) await new Promise(() => {});
    return transmit(command);
  };

  return {
    transmit,
    commands,
    simulatorBytes: () => Buffer.concat(overSimulator),
    hangAfter: (count) => {
      answersLeft = count;
    },
    async device() {
      devices += 1;
      const raw = join(folder, `raw${devices}.sock`);
      await listen(
        createServer((client) => void serve(client, readPacket, recorded, (answer) => answer)),
        raw,
      );
      return terminal(join(folder, `tpmrm${devices}`), raw);
    },
    simulator: async () => {
      const server = createServer((client) => {
        client.on('data', (bytes) => overSimulator.push(Buffer.from(bytes)));
        void serve(client, readFrame, recorded, frameOf);
      });
      return listen(server, 0);
    },
  };
}

type Read = (count: number) => Promise<Buffer>;

/** Reads exactly as many bytes; rejects at the end. */
function reader(socket: Socket): Read {
  const incoming: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  return async (count) => {
    while (rest.length < count) {
      const { value, done } = await incoming.next();
      if (done) throw new Error('closed');
      rest = Buffer.concat([rest, value]);
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
}

/** A command or a response, by the size in its header. */
async function readPacket(read: Read): Promise<Buffer> {
  const header = await read(10);
  return Buffer.concat([header, await read(header.readUInt32BE(2) - 10)]);
}

/** TPM_SEND_COMMAND with its locality, as Microsoft's simulator takes it. Anything else ends the connection. */
async function readFrame(read: Read): Promise<Buffer> {
  const signal = (await read(4)).readUInt32BE();
  if (signal !== 8) throw new Error(`signal ${signal}`);
  await read(1);
  return read((await read(4)).readUInt32BE());
}

function frameOf(response: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(response.length);
  return Buffer.concat([size, response, Buffer.alloc(4)]);
}

async function serve(
  client: Socket,
  next: (read: Read) => Promise<Buffer>,
  answer: (command: Buffer) => Promise<Buffer>,
  write: (response: Buffer) => Buffer,
): Promise<void> {
  client.on('error', () => {});
  onClose(client);
  const read = reader(client);
  try {
    for (;;) client.write(write(await answer(await next(read))));
  } catch {
    client.destroy();
  }
}

const open = new Set<Socket>();
function onClose(client: Socket): void {
  open.add(client);
  client.once('close', () => open.delete(client));
}

async function listen(server: Server, where: string | number): Promise<number> {
  if (typeof where === 'string') server.listen(where);
  else server.listen(where, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const client of open) client.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A pseudo-terminal that leads to a socket, until whoever opens it closes it. */
async function terminal(link: string, socket: string): Promise<string> {
  const program = start('socat', `PTY,link=${link},raw,echo=0,wait-slave`, `UNIX-CONNECT:${socket}`);
  await untilExists(link, program);
  return link;
}

function start(program = '', ...options: readonly string[]): ChildProcess {
  const child = spawn(program, options, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Connects as soon as a program listens. */
async function connectOnce(path: string, program: ChildProcess): Promise<Socket> {
  await untilExists(path, program);
  for (;;) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      // The path is there before the program listens.
      if (codeOf(error) !== 'ECONNREFUSED') throw error;
      await setTimeout(5);
    }
  }
}

/** Waits for a program to create a path. */
async function untilExists(path: string, program?: ChildProcess): Promise<void> {
  while (
    !(await stat(path).then(
      () => true,
      () => false,
    ))
  ) {
    if (program?.exitCode) throw new Error(`It ended with ${program.exitCode}`);
    await setTimeout(5);
  }
}
