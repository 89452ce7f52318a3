import { TpmSecurityClient } from 'azure-iot-security-tpm';
import * as tss from 'tss.js';
import type { SoftwareTpm } from './software-tpm.ts';

/** A TPM for Microsoft's libraries, which may change it. */
function libraryTpm({ transmit }: Pick<SoftwareTpm, 'transmit'>): tss.Tpm {
  const device = {
    connect(done: () => void) {
      setImmediate(done);
      return null;
    },
    dispatchCommand: (command: Buffer, done: (error: unknown, response: Buffer | null) => void) =>
      void transmit(command).then(
        (response) => done(null, response),
        (error: unknown) => done(error, null),
      ),
    close() {},
  };
  return Object.assign(new tss.Tpm(false), { device });
}

/** Creates the keys of the provisioning service, as Microsoft's library does, and gives its registration id. */
export const provision = (tpm: SoftwareTpm): Promise<string> =>
  new Promise((resolve, reject) => {
    const client = new TpmSecurityClient(undefined, libraryTpm(tpm));
    client.getRegistrationId((error, id) => (id === undefined ? reject(error) : resolve(id)));
  });

/** Removes what is at the handle of the endorsement key. */
export const removeEndorsementKey = (tpm: SoftwareTpm): Promise<void> =>
  run((done) => {
    const handle = new tss.TPM_HANDLE(0x8101_0001);
    libraryTpm(tpm).EvictControl(tss.Owner, handle, handle, done);
  });

/** Uses a wrong authorization value until the TPM refuses all, after `failures`. */
export async function lockOut(tpm: SoftwareTpm, failures: number): Promise<void> {
  const library = libraryTpm(tpm);
  const lockout = new tss.TPM_HANDLE(tss.TPM_RH.LOCKOUT);
  await run((done) => library.DictionaryAttackParameters(lockout, failures, 7200, 86_400, done));
  const index = new tss.TPM_HANDLE(0x0150_0001);
  const { AUTHREAD, AUTHWRITE } = tss.TPMA_NV;
  const space = new tss.TPMS_NV_PUBLIC(
    index,
    tss.TPM_ALG_ID.SHA256,
    AUTHREAD | AUTHWRITE,
    Buffer.alloc(0),
    8,
  );
  await run((done) => library.NV_DefineSpace(tss.Owner, Buffer.from('right'), space, done));
  await run((done) =>
    library
      .withSession(tss.Session.Pw(Buffer.from('right')))
      .NV_Write(index, index, Buffer.alloc(8), 0, done),
  );
  for (let i = 0; i < failures; i += 1) {
    const library = libraryTpm(tpm);
    await new Promise<void>((resolve) => {
      library.withSession(tss.Session.Pw(Buffer.from('wrong'))).NV_Read(index, index, 8, 0, () => resolve());
    });
  }
}

/** A call of the library as a promise. */
const run = (call: (done: (error: unknown) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
