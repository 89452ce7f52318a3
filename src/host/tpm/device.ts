/** Takes one command and gives its response, both with their header. */
export interface Device {
  /** Rejects with a system error, or with a {@link BadAnswer}. */
  transmit(command: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

/** What has answered does not speak as a TPM does. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** The tag, the size and the code (TPM 2.0 Library, part 1, section 18.4). */
export const headerBytes = 10;

/** The size that Linux and Windows give their buffers for a TPM. */
export const maxBytes = 4096;

/** TPM2_ReadPublic and TPM2_GetCapability (TPM 2.0 Library, part 2, table 12). */
const readingCommands: readonly number[] = [0x173, 0x17a];
/** TPM_ST_NO_SESSIONS: nothing is authorized. */
const noSessions = 0x8001;

/** Refuses every command but those that only read. Stands directly before the device, above which nothing is trusted. */
export const onlyReading = (device: Device): Device => ({
  ...device,
  async transmit(command) {
    const isWhole = command.length >= headerBytes && command.readUInt32BE(2) === command.length;
    const reads = isWhole && readingCommands.includes(command.readUInt32BE(6));
    if (!reads || command.readUInt16BE(0) !== noSessions) {
      throw new Error(`Refused to send a command that may change the TPM: ${command.toString('hex')}`);
    }
    return device.transmit(command);
  },
});

/** How many bytes a response has, by its header. */
export function responseSize(header: Buffer): number {
  const size = header.readUInt32BE(2);
  if (size < headerBytes || size > maxBytes) throw new BadAnswer('It does not answer as a TPM 2.0 does');
  return size;
}
