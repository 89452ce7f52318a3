import type { Counters } from '../metrics/metrics.ts';
import type { Identity } from '../workload/identity.ts';
import type { Faults } from './faults.ts';
import type { MessageStore } from './message-store.ts';
import { parseMessage, parseTopic } from './messages.ts';
import type { Methods } from './methods.ts';
import type { ModuleTwin } from './module-twin.ts';
import type { Outcome, Publication } from './mqtt/inbox.ts';

/** Changed in place with every event. */
export type Counts = {
  -readonly [Name in keyof Omit<Counters, 'connectedClients' | 'queuedMessages'>]: Counters[Name];
};

interface Parts {
  readonly identity: Identity;
  readonly counts: Counts;
  readonly twin: ModuleTwin;
  readonly store: MessageStore;
  readonly methods: Methods;
  faults(): Faults;
  now(): Date;
  log(line: string): void;
}

/** Processes the messages that the module publishes. */
export function createDispatcher({ identity, counts, twin, store, methods, faults, now, log }: Parts) {
  return async (publication: Publication): Promise<Outcome> => {
    const { topic, payload } = publication;
    const inbound = parseTopic(topic, identity);
    switch (inbound?.kind) {
      case undefined:
        log(`Dropped a message to "${topic}": not a topic of this module`);
        break;
      case 'getTwin':
        counts.twinReads += 1;
        await twin.onGet(inbound.requestId, publication);
        break;
      case 'report':
        counts.reportedUpdates += 1;
        twin.onReport(inbound.requestId, publication);
        break;
      case 'methodResponse':
        methods.onResponse(inbound.requestId, inbound.status, payload);
        break;
      case 'event': {
        counts.messages += 1;
        const { messages } = faults();
        if (messages === 'closes') throw new Error('the fault "messages" is set');
        if (messages === 'unacknowledged') return 'unacknowledged';
        if (messages === 'unrouted') counts.unroutedMessages += 1;
        else store.add(parseMessage(inbound.propertyBag, payload, now()));
      }
    }
    return 'acknowledged';
  };
}
