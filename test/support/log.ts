import { createLog } from '../../src/log.ts';

/** A log that keeps its lines for the test. */
export function logLines(level = 'trace') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('json', level, { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, lines, messages: () => lines.map(({ msg }) => msg) };
}
