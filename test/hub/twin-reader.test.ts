import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDesiredCopy } from '../../src/hub/desired.ts';
import type { Json } from '../../src/hub/merge-patch.ts';
import type { Session, TwinDocument } from '../../src/hub/session.ts';
import { createTwinReader } from '../../src/hub/twin-reader.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A reader whose reads the test answers. */
function reading() {
  const answers: ((twin: TwinDocument) => void)[] = [];
  const documents: Json[] = [];
  const reader = createTwinReader({
    desired: createDesiredCopy(),
    rereadSeconds: 900,
    rereadUnknownSeconds: 30,
    uses: { failed: () => {}, worked: () => {}, troubles: () => [] },
    onDesired: (document) => void documents.push(document),
    onReported: () => undefined,
  });
  const session: Session = {
    readTwin: () => new Promise((resolve) => void answers.push(resolve)),
    update: async () => {},
    send: async () => {},
    close: async () => {},
  };
  reader.begin();
  return {
    ...reader,
    documents,
    /** Begins a read; the result ends it. */
    begun() {
      const read = reader.read(session);
      const answer = answers.at(-1);
      return async (version: number) => {
        answer?.({ desired: { $version: version }, reported: { $version: 1 } });
        await read;
      };
    },
  };
}

test('a push that cannot be read is followed by a read at once', async () => {
  const { begun, missed, dueInMs } = reading();
  await begun()(1);
  expect(dueInMs()).toBe(900_000);
  expect(missed()).toBe(true);
  expect(dueInMs()).toBe(0);
  // That read is still to come.
  expect(missed()).toBe(false);
});

test('a push that cannot be read during a read is followed by another read', async () => {
  const { begun, missed, dueInMs } = reading();
  const end = begun();
  vi.advanceTimersByTime(60_000);
  expect(missed()).toBe(true);
  expect(missed()).toBe(false);
  await end(1);
  expect(dueInMs()).toBe(0);
  await begun()(2);
  expect(dueInMs()).toBe(900_000);
});

test('after 30 such reads in an hour there is one a minute at most', async () => {
  const { begun, missed, dueInMs } = reading();
  for (let i = 0; i < 30; i += 1) {
    const end = begun();
    missed();
    await end(1);
    expect(dueInMs()).toBe(0);
  }
  const end = begun();
  missed();
  await end(1);
  expect(dueInMs()).toBe(60_000);
});

test('what was missed by a session that ended is covered by the first read of the next one', async () => {
  const { begin, begun, missed, dueInMs } = reading();
  begun();
  missed();
  begin();
  await begun()(1);
  expect(dueInMs()).toBe(900_000);
});
