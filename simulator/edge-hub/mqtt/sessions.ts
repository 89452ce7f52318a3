/**
 * The subscriptions of persistent sessions. edgeHub delivers only what was created after the subscription
 * (TryMatchSubscription in MqttAdapter.cs), and subscribing again keeps the time of the first (MqttSubscription.cs).
 */
export interface Sessions {
  subscribe(clientId: string, filter: string): void;
  unsubscribe(clientId: string, filter: string): void;
  delete(clientId: string): void;
  /** Whether a client receives a message that is created now: `tooOld` when edgeHub's clock was set back. */
  match(clientId: string, topic: string): 'yes' | 'no' | 'tooOld';
}

export function createSessions(now: () => Date): Sessions {
  const sessions = new Map<string, Map<string, Date>>();
  return {
    subscribe(clientId, filter) {
      const created = sessions.get(clientId) ?? new Map<string, Date>();
      if (!created.has(filter)) created.set(filter, now());
      sessions.set(clientId, created);
    },
    unsubscribe: (clientId, filter) => void sessions.get(clientId)?.delete(filter),
    delete: (clientId) => void sessions.delete(clientId),
    match(clientId, topic) {
      const matching = [...(sessions.get(clientId) ?? [])].filter(([filter]) => matches(filter, topic));
      if (matching.length === 0) return 'no';
      return matching.some(([, created]) => created <= now()) ? 'yes' : 'tooOld';
    },
  };
}

/** Whether a topic filter of MQTT 3.1.1, section 4.7, matches a topic. */
function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const filterLevels = filter.split('/');
  const matchesLevel = (level: string, at: number) =>
    level === '#' || (levels[at] !== undefined && (level === '+' || level === levels[at]));
  return (
    filterLevels.every(matchesLevel) && (filterLevels.at(-1) === '#' || filterLevels.length === levels.length)
  );
}
