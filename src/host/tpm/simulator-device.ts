import { once } from 'node:events';
import { connect } from 'node:net';
import type { Endpoint } from '../../endpoint.ts';
import { BadAnswer, type Device, headerBytes, maxBytes } from './device.ts';

// TpmTcpProtocol.h of Microsoft's reference implementation. Of its signals, such as power on, none is sent.
const sendCommand = 8;
const locality = 0;

/**
 * A TPM that speaks the simulator protocol over TCP. It must be on and started: a command is framed and sent, nothing else.
 * The answer is its size, the response and a zero.
 */
export async function openSimulatorDevice(endpoint: Endpoint): Promise<Device> {
  const socket = connect(endpoint);
  await once(socket, 'connect');
  // Whoever reads notices an error; without a listener it would end the process.
  socket.setNoDelay(true).on('error', () => {});
  const incoming: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);

  async function take(count: number): Promise<Buffer> {
    while (rest.length < count) {
      const { value, done } = await incoming.next();
      if (done) throw new BadAnswer('It closed the connection instead of answering');
      rest = Buffer.concat([rest, value]);
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  }

  return {
    async transmit(command) {
      const frame = Buffer.alloc(9);
      frame.writeUInt32BE(sendCommand);
      frame.writeUInt8(locality, 4);
      frame.writeUInt32BE(command.length, 5);
      socket.write(Buffer.concat([frame, command]));
      const size = (await take(4)).readUInt32BE();
      // The simulator answers nothing at all while it is off.
      if (size === 0) throw new BadAnswer('It is switched off');
      if (size < headerBytes || size > maxBytes)
        throw new BadAnswer('It does not speak the simulator protocol');
      const response = await take(size);
      if ((await take(4)).readUInt32BE() !== 0) throw new BadAnswer('It did not confirm its answer');
      return response;
    },
    close: async () => void socket.destroy(),
  };
}
