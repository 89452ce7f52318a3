import { addedTo, type Counters } from './counters.ts';
import { counted, type Part } from './part.ts';

/** Each client that edgeHub has refused since its start. */
export const judgeRefused = (refused: Counters, windowMinutes: number): readonly Part[] =>
  [...addedTo(refused)]
    .sort(([, a], [, b]) => b - a)
    .map(([target, count]): Part => {
      const message = `edgeHub refused no connection of ${target} in the last ${windowMinutes} min`;
      if (count === 0) return { target, message };
      return {
        target,
        message,
        problems: [
          {
            status: 'warn',
            reason: 'clients_refused',
            message: `edgeHub refused ${counted(count, 'connection')} of ${target} in the last ${windowMinutes} min, because it could not authenticate it`,
            remedy:
              'Check that this device is the parent of the client in IoT Hub, and that the client has the key or the certificate that IoT Hub knows and a right clock. edgeHub says ' +
              'why: `sudo iotedge logs edgeHub --tail 100`',
          },
        ],
      };
    });
