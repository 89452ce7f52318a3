import { describe, expect, test } from 'vitest';
import { createTpm } from '../../src/host/tpm/tpm.ts';
import { bundled } from '../support/programs/bundle.ts';
import { have } from '../support/programs/installed.ts';
import { softwareTpmPrograms, startSoftwareTpm } from '../support/servers/software-tpm.ts';

const { signal } = new AbortController();
const nowhere = { raw: '/nowhere/tpm0', list: '/nowhere/tpm' };

describe.skipIf(!have(...softwareTpmPrograms))('a TPM (apt-get install swtpm socat)', () => {
  bundled('tpm');

  test('answers over its device', async () => {
    const tpm = await startSoftwareTpm();
    const managed = await tpm.device();
    const ask = createTpm({ paths: { ...nowhere, managed } });
    expect(await ask(undefined, signal)).toEqual({});
  });
  test('answers over the simulator protocol', async () => {
    const tpm = await startSoftwareTpm();
    const port = await tpm.simulator();
    expect(await createTpm()({ host: '127.0.0.1', port }, signal)).toEqual({});
  });
});
