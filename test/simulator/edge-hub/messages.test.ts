import { describe, expect, test } from 'vitest';
import { parseMessage, parseTopic } from '../../../simulator/edge-hub/messages.ts';

const identity = { iothub: 'hub', deviceId: 'dev', moduleId: 'mod', generationId: '1', gateway: 'localhost' };

describe('a topic is parsed', () => {
  test.each([
    ['$iothub/twin/GET/?$rid=a-1', { kind: 'getTwin', requestId: 'a-1' }],
    ['$iothub/twin/PATCH/properties/reported/?$rid=7', { kind: 'report', requestId: '7' }],
    ['$iothub/methods/res/200/?$rid=3&x=y', { kind: 'methodResponse', requestId: '3', status: 200 }],
    ['devices/dev/modules/mod/messages/events', { kind: 'event', propertyBag: '' }],
    ['devices/dev/modules/mod/messages/events/$.on=alerts/', { kind: 'event', propertyBag: '$.on=alerts/' }],
    ['devices/dev/modules/other/messages/events/', undefined],
    ['$iothub/twin/res/200/?$rid=1', undefined],
  ])('%s', (topic, inbound) => {
    expect(parseTopic(topic, identity)).toEqual(inbound);
  });
});

describe('a message', () => {
  const now = new Date('2026-11-21T20:30:00Z');

  test('gets its output, system and application properties from the topic', () => {
    const bag = '%24.on=alerts&%24.ct=application%2Fjson&%24.ce=utf-8&%24.x=1&check=a%20b%26c&target=1+1/';
    expect(parseMessage(bag, '{"a":1}', now)).toEqual({
      enqueuedTime: '2026-11-21T20:30:00.000Z',
      output: 'alerts',
      system: { contentType: 'application/json', contentEncoding: 'utf-8', '$.x': '1' },
      properties: { check: 'a b&c', target: '1+1' },
      body: { a: 1 },
    });
  });

  test('can have no properties and a body that is not JSON', () => {
    expect(parseMessage('', 'plain', now)).toMatchObject({
      output: null,
      system: {},
      properties: {},
      body: 'plain',
    });
  });
});
