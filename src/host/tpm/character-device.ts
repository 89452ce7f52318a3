import { open } from 'node:fs/promises';
import { BadAnswer, type Device, headerBytes, maxBytes, responseSize } from './device.ts';

/**
 * A TPM of the kernel, `/dev/tpmrm0`: one write is a command, what is read then its response. Both occupy a thread until the
 * TPM has answered.
 */
export async function openCharacterDevice(path: string): Promise<Device> {
  // The device takes commands by write(2). It is no file: O_CREAT and O_TRUNC stay out.
  const file = await open(path, 'rs+');
  return {
    async transmit(command) {
      const { bytesWritten } = await file.write(command);
      if (bytesWritten !== command.length) throw new BadAnswer(`It took ${bytesWritten} of ${command.length} bytes`);
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
