import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HubError, PatchRejected } from '../../src/hub/session.ts';
import { ConnectionLost, createStatusKeeper } from '../../src/hub/status.ts';

const start = new Date('2026-11-21T20:30:00Z');
beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

function keeper() {
  const lines: string[] = [];
  const log = (_fields: object, text: string) => void lines.push(text);
  return { ...createStatusKeeper(() => new Date(), { info: log, warn: log, error: log }), lines };
}

const short = { opened: true, lasted: false };
const refused = { opened: false, lasted: false };
const lost = () => new ConnectionLost('offline', 'The connection to edgeHub was lost');
const another = 'Another instance of this module is probably connected, or edgeHub keeps restarting: ';

describe('the state', () => {
  test('is connecting at first, without a problem', () => {
    expect(keeper().status()).toEqual({ state: 'connecting', since: start, seconds: 0 });
  });

  test.each([
    [
      new HubError('not_authorized', 'Refused', new Error('Not authorized')),
      'not_authorized',
      'Refused: Not authorized',
    ],
    [new HubError('certificate_rejected', 'Expired'), 'certificate_rejected', 'Expired'],
    [new HubError('workload_api_failed', 'No token'), 'workload_api_failed', 'No token'],
    [new Error('anything else'), 'offline', 'anything else'],
  ])('is offline after %s, with its reason', (error, reason, message) => {
    const { failed, status } = keeper();
    failed(error, 1, refused);
    expect(status()).toEqual({ state: 'offline', since: start, seconds: 0, problem: { reason, message } });
  });

  test('keeps its beginning while it does not change, even if the problem does', () => {
    const { failed, connected, status } = keeper();
    failed(new Error('first'), 1, refused);
    vi.advanceTimersByTime(60_000);
    failed(new Error('second'), 1, refused);
    expect(status()).toMatchObject({ since: start, problem: { message: 'second' } });
    connected(undefined);
    expect(status()).toEqual({ state: 'connected', since: new Date(start.getTime() + 60_000), seconds: 0 });
    vi.advanceTimersByTime(60_000);
    connected(undefined);
    expect(status().since).toEqual(new Date(start.getTime() + 60_000));
  });

  test('connected has the notice of its session', () => {
    const { connected, status, lines } = keeper();
    connected('Connected over WebSocket');
    expect(status()).toMatchObject({ state: 'connected', notice: 'Connected over WebSocket' });
    expect(lines).toEqual(['Connected to edgeHub']);
  });
});

describe('a connection that is made or lost', () => {
  test('starts the count of seconds again; connecting and offline count together', () => {
    const { connected, failed, status } = keeper();
    vi.advanceTimersByTime(20_000);
    failed(new Error('refused'), 1, refused);
    vi.advanceTimersByTime(10_000);
    expect(status().seconds).toBe(30);
    connected(undefined);
    expect(status().seconds).toBe(0);
    vi.advanceTimersByTime(5000);
    connected(undefined);
    expect(status().seconds).toBe(5);
    failed(lost(), 1, { opened: true, lasted: true });
    expect(status().seconds).toBe(0);
  });

  test('is announced until the signal fires, as is the first problem, and a repeated one is not', () => {
    const { connected, failed, watch } = keeper();
    const stopping = new AbortController();
    const announced: string[] = [];
    watch((what) => announced.push(what), stopping.signal);
    failed(new Error('refused'), 1, refused);
    connected(undefined);
    connected(undefined);
    failed(lost(), 1, short);
    failed(lost(), 1, short);
    stopping.abort();
    connected(undefined);
    expect(announced).toEqual([
      'The problem with edgeHub is now: offline',
      'The connection to edgeHub was made',
      'The connection to edgeHub was lost',
    ]);
  });
});

describe('a problem that changes', () => {
  const rejected = () => new PatchRejected('edgeHub rejected the reported properties with status 400');
  const announcedBy = ({ watch }: ReturnType<typeof keeper>) => {
    const announced: string[] = [];
    watch((what) => announced.push(what), new AbortController().signal);
    return announced;
  };

  test('is announced by its kind, not by each text', () => {
    const hub = keeper();
    const announced = announcedBy(hub);
    hub.failed(new Error('first'), 1, refused);
    vi.advanceTimersByTime(60_000);
    hub.failed(new Error('second'), 1, refused);
    vi.advanceTimersByTime(60_000);
    hub.failed(new HubError('workload_api_failed', 'No token'), 1, refused);
    expect(announced).toEqual([
      'The problem with edgeHub is now: offline',
      'The problem with edgeHub is now: workload_api_failed',
    ]);
  });

  test('again and again is announced every 30 s at most, and the last one always', () => {
    const hub = keeper();
    const announced = announcedBy(hub);
    for (let i = 0; i < 100; i += 1) {
      hub.failed(new HubError(i % 2 ? 'not_authorized' : 'offline', 'Refused'), 1, refused);
      vi.advanceTimersByTime(2000);
    }
    expect(announced.length).toBeLessThanOrEqual(8);
    hub.failed(new HubError('certificate_rejected', 'Expired'), 1, refused);
    vi.advanceTimersByTime(30_000);
    expect(announced.at(-1)).toBe('The problem with edgeHub is now: certificate_rejected');
    vi.advanceTimersByTime(3_600_000);
    expect(announced.length).toBeLessThanOrEqual(9);
  });

  test('and changes back within 30 s is not announced', () => {
    const hub = keeper();
    const announced = announcedBy(hub);
    hub.failed(new HubError('offline', 'Refused'), 1, refused);
    hub.failed(new HubError('not_authorized', 'Refused'), 1, refused);
    hub.failed(new HubError('offline', 'Refused'), 1, refused);
    vi.advanceTimersByTime(60_000);
    expect(announced).toEqual(['The problem with edgeHub is now: offline']);
  });

  test('of a connection that works is announced when it begins and when it ends', () => {
    const hub = keeper();
    hub.connected(undefined);
    vi.advanceTimersByTime(60_000);
    const announced = announcedBy(hub);
    hub.uses.failed('reports', rejected());
    vi.advanceTimersByTime(60_000);
    hub.uses.failed('reports', rejected());
    hub.uses.worked('reports');
    expect(announced).toEqual([
      'The problem with edgeHub is now: reports',
      'The problem with edgeHub is over',
    ]);
  });

  test('leaves no timer once the hub is closed', () => {
    const hub = keeper();
    hub.failed(new HubError('offline', 'Refused'), 1, refused);
    hub.failed(new HubError('not_authorized', 'Refused'), 1, refused);
    hub.closed();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an attempt that hangs', () => {
  const credentials = {
    reason: 'workload_api_failed',
    missing: 'No credentials have come from the workload API',
  } as const;
  const accepted = { reason: 'offline', missing: 'edgeHub has not accepted the connection' } as const;
  const twin = { reason: 'offline', detail: 'no_twin', missing: 'edgeHub has not answered' } as const;

  test('is a problem after five seconds, with what it waits for, even before any attempt has failed', () => {
    const { awaits, status } = keeper();
    awaits(credentials);
    vi.advanceTimersByTime(4999);
    expect(status()).not.toHaveProperty('problem');
    vi.advanceTimersByTime(1);
    expect(status()).toMatchObject({
      state: 'connecting',
      problem: {
        reason: 'workload_api_failed',
        message: 'No credentials have come from the workload API for more than 5 s',
      },
    });
  });

  test('replaces the reason of the loss, and keeps its beginning', () => {
    const { awaits, failed, status } = keeper();
    failed(lost(), 1, { opened: true, lasted: true });
    vi.advanceTimersByTime(1000);
    awaits(twin);
    expect(status().problem?.message).toBe('The connection to edgeHub was lost');
    vi.advanceTimersByTime(5000);
    expect(status()).toMatchObject({
      state: 'offline',
      since: start,
      seconds: 6,
      problem: {
        reason: 'offline',
        detail: 'no_twin',
        message: 'edgeHub has not answered for more than 5 s',
      },
    });
  });

  test('counts each step alone, and none once it has failed', () => {
    const { awaits, failed, status } = keeper();
    for (const step of [credentials, accepted, twin]) {
      awaits(step);
      vi.advanceTimersByTime(4000);
    }
    failed(new Error('refused'), 1, refused);
    vi.advanceTimersByTime(60_000);
    expect(status().problem?.message).toBe('refused');
  });

  test('is announced, so that the check runs', () => {
    const { awaits, watch } = keeper();
    const announced: string[] = [];
    watch((what) => announced.push(what), new AbortController().signal);
    awaits(twin);
    vi.advanceTimersByTime(5000);
    expect(announced).toEqual(['The problem with edgeHub is now: offline, no_twin']);
  });

  test('is no problem while the session that it replaces works, nor once the hub is closed', () => {
    const { awaits, connected, closed, status } = keeper();
    connected(undefined);
    awaits(credentials);
    vi.advanceTimersByTime(5000);
    expect(status()).toEqual({ state: 'connected', since: start, seconds: 5 });
    closed();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what fails on a connection that works', () => {
  const rejected = (status: number) =>
    new PatchRejected(
      `edgeHub rejected the reported properties with status ${status}`,
      new Error('too many requests'),
      status === 429 ? 'throttled' : undefined,
    );

  test('is part of the status, with its time, until it works again', () => {
    const { connected, uses, status } = keeper();
    connected(undefined);
    uses.failed('reports', rejected(429));
    vi.advanceTimersByTime(20_000);
    uses.failed('messages', new HubError('offline', 'edgeHub accepted the connection, but not a message'));
    uses.failed('reports', rejected(400));
    expect(status()).toMatchObject({
      state: 'connected',
      troubles: [
        {
          use: 'reports',
          seconds: 20,
          message: 'edgeHub rejected the reported properties with status 400: too many requests',
        },
        { use: 'messages', seconds: 0, message: 'edgeHub accepted the connection, but not a message' },
      ],
    });
    uses.worked('reports');
    uses.worked('messages');
    expect(status()).not.toHaveProperty('troubles');
  });

  test('is logged when it begins, when its kind changes and when it ends', () => {
    const { uses, lines } = keeper();
    for (const status of [400, 400, 400, 429, 429]) uses.failed('reports', rejected(status));
    uses.worked('reports');
    uses.worked('reports');
    expect(lines).toEqual([
      'The report did not get through, it will be retried',
      'The report did not get through, it will be retried',
      'edgeHub has the current report again',
    ]);
  });

  test('is logged six times an hour at most, but in the end always', () => {
    const { uses, lines } = keeper();
    const begins = () => lines.filter((line) => line === 'A message did not get through, it will be retried');
    for (let i = 0; i < 100; i += 1) {
      uses.failed('messages', new Error('one kind'));
      uses.failed('messages', new Error('another kind'));
      uses.worked('messages');
    }
    expect(begins()).toHaveLength(6);
    expect(lines).toHaveLength(9);
    uses.failed('messages', new Error('one kind'));
    expect(begins()).toHaveLength(6);
    vi.advanceTimersByTime(3_600_000);
    uses.failed('messages', new Error('one kind'));
    expect(begins()).toHaveLength(7);
  });
});

describe('another instance of the module', () => {
  test('is reported and logged once when edgeHub closes three connections in a row soon after they were opened', () => {
    const { connected, failed, status, lines } = keeper();
    for (let i = 0; i < 5; i += 1) {
      connected(undefined);
      failed(lost(), 1, short);
    }
    expect(status().problem?.message).toMatch(another);
    expect(lines.filter((line) => line.startsWith(another))).toHaveLength(1);
    connected(undefined);
    expect(status().takeover).toMatch(another);
  });

  test('is forgotten once a session lasts', () => {
    const { connected, failed, status } = keeper();
    for (let i = 0; i < 3; i += 1) {
      connected(undefined);
      failed(lost(), 1, short);
    }
    connected(undefined);
    vi.advanceTimersByTime(120_000);
    expect(status()).not.toHaveProperty('takeover');
  });

  test.each([
    ['a connection was refused', refused, lost()],
    ['a session lasted', { opened: true, lasted: true }, lost()],
    ['a session ended for another reason', short, new HubError('offline', 'edgeHub does not answer')],
  ])('is not suspected when %s in between', (_what, course, error) => {
    const { connected, failed, status } = keeper();
    for (const [next, how] of [
      [lost(), short],
      [lost(), short],
      [error, course],
      [lost(), short],
    ] as const) {
      connected(undefined);
      failed(next, 1, how);
    }
    expect(status().problem?.message).toBe('The connection to edgeHub was lost');
  });

  test('is not suspected when no session could read the twin', () => {
    const { failed, status } = keeper();
    for (let i = 0; i < 5; i += 1) failed(lost(), 1, short);
    expect(status().problem?.message).toBe('The connection to edgeHub was lost');
  });
});
