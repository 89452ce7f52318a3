import { access, readdir } from 'node:fs/promises';
import { endianness } from 'node:os';
import { CannotTell } from '../../check.ts';
import { codeOf } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { readRegularFile } from '../../read-file.ts';
import type { Files } from '../files/files.ts';
import { parseProcNet, type Table, tables } from './proc-net.ts';
import type { Listener } from './types.ts';

/** Some 50,000 sockets; the kernel lists those that listen first. */
const maxBytes = 8 * 1_048_576;

interface Options {
  readonly files: Pick<Files, 'read'>;
  /** Where HTTP of the agent itself listens. */
  readonly ownPort: number;
  /** The agent runs on the device itself and not as its module. */
  readonly standalone: boolean;
  /** These two belong to the namespace of this process. */
  readonly ownTables?: string;
  readonly ownInterfaces?: string;
}

/**
 * The sockets that receive from the network, in the namespace of the VM's first process. Without the VM's /proc, those of this
 * process where its namespace is the machine's; `no_access` otherwise.
 */
export function createListeners({
  files,
  ownPort,
  standalone,
  ownTables = '/proc/self/net',
  ownInterfaces = '/sys/class/net',
}: Options): Host['listeners'] {
  return async (signal) => {
    try {
      const texts = await readTables((table) => files.read(`/proc/1/net/${table}`, signal, maxBytes));
      return { ownPort, listeners: parse(texts) };
    } catch (error) {
      signal.throwIfAborted();
      const isAbsent = error instanceof CannotTell && error.reason === 'no_access';
      if (!isAbsent || !(standalone || (await hasHardware(ownInterfaces)))) throw error;
    }
    const read = (table: Table) => readRegularFile(`${ownTables}/${table}`, { maxBytes }, signal);
    return { ownPort, listeners: parse(await readTables(read)) };
  };
}

const isMissing = (error: unknown): boolean =>
  error instanceof CannotTell ? error.reason === 'not_found' : codeOf(error) === 'ENOENT';

type Texts = ReadonlyMap<Table, string>;

async function readTables(read: (table: Table) => Promise<Buffer>): Promise<Texts> {
  const texts = new Map<Table, string>();
  for (const table of tables) {
    try {
      texts.set(table, (await read(table)).toString('latin1'));
    } catch (error) {
      // A kernel without IPv6 has no tables for it.
      if (!table.endsWith('6') || !isMissing(error)) throw error;
    }
  }
  return texts;
}

const parse = (texts: Texts): readonly Listener[] =>
  [...texts].flatMap(([table, text]) => parseProcNet(table, text, endianness() === 'LE'));

/** Whether a network interface of this namespace has hardware: those of a bridge network have none, nor has `lo`. */
async function hasHardware(interfaces: string): Promise<boolean> {
  const names = await readdir(interfaces).catch(() => []);
  const found = await Promise.all(
    names.map((name) =>
      access(`${interfaces}/${name}/device`).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
