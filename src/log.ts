import { type DestinationStream, type Logger, pino } from 'pino';
import { describeError } from './errors.ts';

/** Fields first, then the text; an error goes under `err`. */
export type Log = Logger;

/** The values of `RuntimeLogLevel`, as edgeAgent has them, and pino's words for them. */
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

/** A logger to standard output, in the form that edgeAgent's log filters read or as JSON. */
export function createLog(
  format: 'iotedge' | 'json',
  level: string,
  out: DestinationStream = process.stdout,
): Log {
  const destination = format === 'json' ? out : { write: (line: string) => out.write(edgeLine(line)) };
  // An error is told on one line; its stack says nothing to an operator.
  return pino({ level, base: null, serializers: { err: describeError } }, destination);
}

/** `<6> 2026-01-01 00:00:00.000 +00:00 [INF] - text key=value` */
export function edgeLine(json: string): string {
  const { level, time, msg, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const [priority, tag] = edgeLevels[Number(level)] ?? [6, 'INF'];
  const moment = new Date(Number(time)).toISOString().replace('T', ' ').replace('Z', ' +00:00');
  const fields = Object.entries(rest).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  const text = `${String(msg ?? '')}${fields.join('')}`;
  return `<${priority}> ${moment} [${tag}] - ${text.replaceAll(/\p{Cc}+/gu, ' ')}\n`;
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
