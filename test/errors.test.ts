import { expect, test } from 'vitest';
import { describeError } from '../src/errors.ts';

const withCause = (message: string, cause: unknown) => new Error(message, { cause });
const endless = new Error('round');
endless.cause = withCause('and round', endless);

test.each([
  ['an error', new Error('it broke'), 'it broke'],
  [
    'its causes',
    withCause('could not read it', withCause('open', new Error('ENOENT'))),
    'could not read it: open: ENOENT',
  ],
  [
    'a cause that is quoted already',
    withCause('could not: ENOENT', new Error('ENOENT')),
    'could not: ENOENT',
  ],
  ['an error that says nothing, with a cause', withCause('', new Error('ENOENT')), 'ENOENT'],
  ['an error that says nothing', new TypeError(''), 'TypeError'],
  [
    'several errors',
    new AggregateError([new Error('a'), new Error('b')], 'neither answered'),
    'neither answered',
  ],
  ['several errors that say nothing', new AggregateError([new Error('a')]), 'AggregateError'],
  ['a text', 'just a text', 'just a text'],
  ['an empty text', '', 'an error that says nothing'],
  ['nothing', undefined, 'an error that says nothing'],
  ['null', null, 'null'],
  ['a cause that is a text', withCause('could not', 'because'), 'could not: because'],
  ['several lines', new Error('one\r\n  two\tthree'), 'one two three'],
  ['causes that go round', endless, 'round: and round'],
])('%s is told on one line', (_, error, line) => {
  expect(describeError(error)).toBe(line);
});

test('a message without end is cut off', () => {
  expect(describeError(new Error('x'.repeat(1_000_000)))).toHaveLength(2000);
});
