import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { orAbort, withDeadline } from '../../deadline.ts';
import { formatEndpoint } from '../../endpoint.ts';
import type { Host } from '../../host.ts';
import { isMissing } from '../files/access.ts';
import type { TpmPaths } from './failures.ts';
import type { Answered, Place } from './tpm-child.ts';

const linuxPaths: TpmPaths = { managed: '/dev/tpmrm0', raw: '/dev/tpm0', list: '/sys/class/tpm' };

/** Loaded only where they are needed. */
const failures = () => import('./failures.ts');

/** Asks a TPM in a process of its own. It gets `seconds`, and is never asked by two processes at a time. */
export function createTpm({ paths = linuxPaths, seconds = 8 } = {}): Host['tpm'] {
  let before: Promise<void> = Promise.resolve();

  function askIn(place: Place, signal: AbortSignal): Promise<Answered> {
    // Even a process that is killed stays while the kernel waits for the TPM.
    let gone: Promise<void> = Promise.resolve();
    const turn = before.then(async () => {
      // Loaded only where it is needed, with the module for processes.
      const { startAsking } = await import('./tpm-child.ts');
      signal.throwIfAborted();
      const { answer, ended } = startAsking(place, signal);
      gone = ended;
      return answer;
    });
    before = turn.then(
      () => gone,
      () => gone,
    );
    return orAbort(turn, signal);
  }

  return async (address, signal) => {
    if (address === undefined) await mustBeUsable(paths, signal);
    const at = address === undefined ? paths.managed : formatEndpoint(address);
    const place = address ?? { device: paths.managed };
    try {
      const answered = await withDeadline(seconds, signal, (deadline) => askIn(place, deadline));
      if ('tpm' in answered) return { at, ...answered.tpm };
      throw Object.assign(new Error(answered.failure.message), answered.failure);
    } catch (cause) {
      signal.throwIfAborted();
      const { explain } = await failures();
      throw explain(at, address === undefined, seconds, cause);
    }
  };
}

/** Rejects with a `CannotTell` unless the device is there and this process may use it. */
async function mustBeUsable(paths: TpmPaths, signal: AbortSignal): Promise<void> {
  try {
    await orAbort(access(paths.managed, constants.R_OK | constants.W_OK), signal);
  } catch (cause) {
    signal.throwIfAborted();
    const { absent, cannotUse } = await failures();
    if (isMissing(cause)) throw await absent(paths);
    const group = await stat(paths.managed).then(
      ({ gid }) => gid,
      () => undefined,
    );
    throw cannotUse(paths.managed, group, cause);
  }
}
