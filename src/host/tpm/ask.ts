import { createHash } from 'node:crypto';
import { TpmBuffer } from 'tss.js/lib/TpmMarshaller.js';
import type { ReqStructure } from 'tss.js/lib/TpmStructure.js';
import {
  TPM_CAP,
  TPM_CC,
  TPM_HANDLE,
  TPM_PT,
  TPM2_GetCapability_REQUEST,
  TPM2_ReadPublic_REQUEST,
  TPML_HANDLE,
  TPML_TAGGED_TPM_PROPERTY,
} from 'tss.js/lib/TpmTypes.js';
import { toBase32 } from './base32.ts';
import { BadAnswer, type Device, headerBytes } from './device.ts';
import type { EndorsementKey, Lockout, Tpm } from './types.ts';

/** Where the TCG and Azure keep the RSA endorsement key (TCG EK Credential Profile, section 2.2.1.4). */
const endorsementKeyHandle = 0x8101_0001;
const firstPersistent = 0x8100_0000;
const lastPersistent = 0x81ff_ffff;
/** A TPM has room for tens of them. */
const maxHandles = 256;

/** TPMA_PERMANENT.inLockout. */
const inLockout = 1 << 9;
/** TPM_RC_HANDLE, in whatever position (TPM 2.0 Library, part 2, section 6.6): nothing is there. */
const isHandleCode = (code: number): boolean => (code & 0xbf) === 0x8b;

/** Asks a TPM for everything that the check wants to know. */
export async function ask(device: Device): Promise<Omit<Tpm, 'at'>> {
  const identity = await readIdentity(device);
  const lockout = await readLockout(device);
  const persistentHandles = await readHandles(device);
  const endorsementKey = await readEndorsementKey(device);
  return { ...identity, lockout, persistentHandles, ...(endorsementKey ? { endorsementKey } : {}) };
}

/** Sends a command and gives the parameters of its response, or the code that it was refused with. */
async function send(device: Device, code: TPM_CC, request: ReqStructure): Promise<Buffer | number> {
  const command = new TpmBuffer();
  command.writeShort(0x8001);
  command.writeInt(0);
  command.writeInt(code);
  for (const handle of request.getHandles() ?? []) handle.toTpm(command);
  request.toTpm(command);
  command.writeNumAtPos(command.curPos, 2);
  const response = await device.transmit(command.trim());
  const answered = response.readUInt32BE(6);
  return answered === 0 ? response.subarray(headerBytes) : answered;
}

/** Bytes of an item in the list of a capability. */
const itemBytes = { [TPM_CAP.TPM_PROPERTIES]: 8, [TPM_CAP.HANDLES]: 4 };

/** The list of a capability as bytes, and whether there is more of it. */
async function capability(device: Device, group: keyof typeof itemBytes, first: number, count: number) {
  const request = new TPM2_GetCapability_REQUEST(group, first, count);
  const response = await send(device, TPM_CC.GetCapability, request);
  if (typeof response === 'number') throw new BadAnswer(`It refused to answer: ${codeText(response)}`);
  // moreData, then TPMS_CAPABILITY_DATA: the group and its list, which begins with its length.
  if (response.length < 9 || response.readUInt32BE(1) !== group) throw new BadAnswer('Its answer is no list');
  const length = response.readUInt32BE(5);
  if (length > count || response.length !== 9 + length * itemBytes[group]) {
    throw new BadAnswer(`Its answer has ${response.length} bytes for a list of ${length}`);
  }
  return { more: response[0] !== 0, list: response.subarray(5) };
}

/** The values of consecutive properties. A TPM leaves out those it does not have. */
async function properties(
  device: Device,
  first: TPM_PT,
  last: TPM_PT,
): Promise<(property: TPM_PT) => number> {
  const { list } = await capability(device, TPM_CAP.TPM_PROPERTIES, first, last - first + 1);
  const { tpmProperty } = TPML_TAGGED_TPM_PROPERTY.fromBytes(list);
  const values = new Map(tpmProperty.map(({ property, value }) => [property, value >>> 0]));
  return (property) => values.get(property) ?? 0;
}

async function readIdentity(device: Device): Promise<Pick<Tpm, 'manufacturer' | 'vendor' | 'firmware'>> {
  const value = await properties(device, TPM_PT.MANUFACTURER, TPM_PT.FIRMWARE_VERSION_2);
  const vendor = [
    TPM_PT.VENDOR_STRING_1,
    TPM_PT.VENDOR_STRING_2,
    TPM_PT.VENDOR_STRING_3,
    TPM_PT.VENDOR_STRING_4,
  ];
  const numbers = [TPM_PT.FIRMWARE_VERSION_1, TPM_PT.FIRMWARE_VERSION_2].map(value);
  return {
    manufacturer: letters(value(TPM_PT.MANUFACTURER)),
    vendor: letters(...vendor.map(value)),
    firmware: numbers.flatMap((number) => [number >>> 16, number & 0xffff]).join('.'),
  };
}

async function readLockout(device: Device): Promise<Lockout> {
  const permanent = await properties(device, TPM_PT.PERMANENT, TPM_PT.PERMANENT);
  const value = await properties(device, TPM_PT.LOCKOUT_COUNTER, TPM_PT.LOCKOUT_RECOVERY);
  return {
    lockedOut: (permanent(TPM_PT.PERMANENT) & inLockout) !== 0,
    failures: value(TPM_PT.LOCKOUT_COUNTER),
    maxFailures: value(TPM_PT.MAX_AUTH_FAIL),
    intervalSeconds: value(TPM_PT.LOCKOUT_INTERVAL),
    recoverySeconds: value(TPM_PT.LOCKOUT_RECOVERY),
  };
}

async function readHandles(device: Device): Promise<readonly number[]> {
  const handles: number[] = [];
  for (let next = firstPersistent; next <= lastPersistent && handles.length < maxHandles; ) {
    const { more, list } = await capability(device, TPM_CAP.HANDLES, next, 64);
    // The library reads them with a sign.
    const found = TPML_HANDLE.fromBytes(list).handle.map(({ handle }) => handle >>> 0);
    handles.push(...found.filter((handle) => handle >= next && handle <= lastPersistent));
    const last = found.at(-1) ?? lastPersistent;
    if (!more || last < next) break;
    next = last + 1;
  }
  return handles.slice(0, maxHandles);
}

async function readEndorsementKey(device: Device): Promise<EndorsementKey | undefined> {
  const request = new TPM2_ReadPublic_REQUEST(new TPM_HANDLE(endorsementKeyHandle));
  const response = await send(device, TPM_CC.ReadPublic, request);
  if (typeof response === 'number') {
    if (isHandleCode(response)) return undefined;
    throw new BadAnswer(`It refused to read its endorsement key: ${codeText(response)}`);
  }
  // The first parameter is the TPM2B_PUBLIC, hashed as the TPM wrote it.
  const size = response.length < 2 ? 2 : 2 + response.readUInt16BE();
  if (size > response.length) throw new BadAnswer('It answered with half a key');
  const digest = createHash('sha256').update(response.subarray(0, size)).digest();
  return { hex: digest.toString('hex'), base32: toBase32(digest) };
}

const codeText = (code: number): string => `code 0x${code.toString(16)}`;

/** The printable ASCII of four-byte values, which end in zeros or spaces. */
function letters(...values: readonly number[]): string {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, 4 * i);
  });
  return bytes
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '')
    .trim();
}
