import { open } from 'node:fs/promises';
import { BadAnswer, type Device, headerBytes, maxBytes, responseSize } from './device.ts';

/**
 * A TPM of the kernel, `/dev/tpmrm0`: one write is a command, what is read then its response. Both occupy a thread until the
 * TPM has answered.
 */
export async function openCharacterDevice(path: string): Promise<Device> {
  const file = await open(path, 'rs+');
  // A command written to a file would change it.
  if (!(await file.stat()).isCharacterDevice()) {
    await file.close();
    throw new BadAnswer(`${path} is not a device`);
  }
  return {
    async transmit(command) {
      const { bytesWritten } = await file.write(command);
      if (bytesWritten !== command.length)
        throw new BadAnswer(`It took ${bytesWritten} of ${command.length} bytes`);
      const response = Buffer.alloc(maxBytes);
      let length = 0;
      // The kernel gives a response at once; a terminal, behind which a software TPM may be, gives it in parts.
      while (length < headerBytes || length < responseSize(response)) {
        const { bytesRead } = await file.read(response, length, maxBytes - length, null);
        if (bytesRead === 0) throw new BadAnswer(`Its answer ended after ${length} bytes`);
        length += bytesRead;
      }
      return response.subarray(0, responseSize(response));
    },
    close: () => file.close(),
  };
}
