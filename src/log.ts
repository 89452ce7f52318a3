import { format as formatText } from 'node:util';
import { type DestinationStream, type Logger, pino } from 'pino';
import { describeError } from './errors.ts';

/** Fields first, then the text; an error goes under `err`. There are no child loggers: their fields would be lost. */
export type Log = Pick<Logger, 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'>;

/** The values of `RuntimeLogLevel`, which are edgeAgent's, and pino's names for them. */
export const logLevels: Readonly<Record<string, string>> = {
  fatal: 'fatal',
  error: 'error',
  warning: 'warn',
  info: 'info',
  information: 'info',
  debug: 'debug',
  verbose: 'trace',
};

/** Priority and tag by pino's level, as edgeAgent's log filters read them (LogMessageParser.cs of Azure/iotedge). */
const edgeLevels: Readonly<Record<number, readonly [priority: number, tag: string]>> = {
  10: [7, 'VRB'],
  20: [7, 'DBG'],
  30: [6, 'INF'],
  40: [4, 'WRN'],
  50: [3, 'ERR'],
  60: [0, 'FTL'],
};

/** A logger to standard output, in the format that edgeAgent's log filters read or as JSON. */
export function createLog(
  format: 'iotedge' | 'json',
  level: string,
  out: DestinationStream = process.stdout,
): Log {
  const destination = format === 'json' ? out : edgeDestination(out);
  // An error becomes one line without its stack, which does not help an operator.
  return pino({ level, base: null, serializers: { err: describeError } }, destination);
}

/** What pino sets on a destination before each write, if the destination asks for it with the symbol below. */
interface Entry {
  lastLevel: number;
  /** Milliseconds since 1970. */
  lastTime: string;
  lastMsg: string | undefined;
  /** The fields before they are serialised. */
  lastObj: object;
}

/** Writes each entry as `<6> 2026-01-01 00:00:00.000 +00:00 [INF] - text key=value` instead of pino's JSON. */
function edgeDestination(out: DestinationStream): DestinationStream {
  const entry: Entry & DestinationStream = {
    lastLevel: 0,
    lastTime: '',
    lastMsg: '',
    lastObj: {},
    write: () => out.write(edgeLine(entry)),
  };
  return Object.assign(entry, { [pino.symbols.needsMetadataGsym]: true });
}

function edgeLine({ lastLevel, lastTime, lastMsg = '', lastObj }: Entry): string {
  const [priority, tag] = edgeLevels[lastLevel] ?? [6, 'INF'];
  const time = new Date(Number(lastTime)).toISOString().replace('T', ' ').replace('Z', ' +00:00');
  const entries = Object.entries(lastObj).filter(([, value]) => value !== undefined);
  // Lists are sentences, such as the problems of a policy: they follow the text.
  const sentences = entries.flatMap(([, value]) => (Array.isArray(value) ? value.map(plainText) : []));
  const fields = entries
    .filter(([, value]) => !Array.isArray(value))
    .map(([key, value]) => ` ${key}=${quoted(key === 'err' ? describeError(value) : plainText(value))}`);
  const list = sentences.length > 0 ? `: ${sentences.join('; ')}` : '';
  const text = `${lastMsg}${list}${fields.join('')}`;
  return `<${priority}> ${time} [${tag}] - ${text.replaceAll(/\p{Cc}+/gu, ' ')}\n`;
}

const plainText = (value: unknown): string =>
  typeof value === 'object' ? formatText('%j', value) : String(value);

const quoted = (text: string): string => (/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text));
