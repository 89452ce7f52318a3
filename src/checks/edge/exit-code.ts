const words: Readonly<Record<number, string>> = {
  125: 'it could not start',
  126: 'it could not start: its command cannot be executed',
  127: 'it could not start: its command was not found',
  134: 'it aborted',
  137: 'killed: memory ran out, or it did not stop in time',
  139: 'it crashed: segmentation fault',
  143: 'told to stop',
};

/** `exit code 139 (it crashed: segmentation fault)`; codes as the container engine sets them, 128 plus the signal. */
export function describeExit(code: number): string {
  const meaning = words[code];
  return meaning === undefined ? `exit code ${code}` : `exit code ${code} (${meaning})`;
}

/** The codes of a module that was stopped, or that ended by itself without an error. */
export const isStop = (code: number | undefined): boolean => code === 0 || code === 143 || code === 137;

/** The codes of a container that the engine could not start; it is then listed as stopped. */
export const couldNotStart = (code: number | undefined): boolean =>
  code !== undefined && code >= 125 && code <= 127;
