import { codeOf } from '../../errors.ts';
import { ask } from './ask.ts';
import { openCharacterDevice } from './character-device.ts';
import { BadAnswer, onlyReading } from './device.ts';
import { openSimulatorDevice } from './simulator-device.ts';
import type { Answered, Place } from './tpm-child.ts';

// The process behind tpm-child.ts, a program of its own in the bundle: asks the TPM that its argument names and prints one line.

async function answer(place: Place): Promise<Answered> {
  try {
    const opened = 'device' in place ? openCharacterDevice(place.device) : openSimulatorDevice(place);
    return { tpm: await ask(onlyReading(await opened)) };
  } catch (error) {
    const code = codeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    return {
      failure: { message, isAnswer: error instanceof BadAnswer, ...(code === undefined ? {} : { code }) },
    };
  }
}

// Node would wait for the thread of a command that hangs, so both ends of the process are abrupt: when its parent is gone,
const end = (): void => void process.kill(process.pid, 'SIGKILL');
process.stdin.on('end', end).on('close', end).resume();

// and when it has answered.
process.stdout.write(`${JSON.stringify(await answer(JSON.parse(process.argv[2] ?? '')))}\n`, end);
