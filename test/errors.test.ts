import { expect, test } from 'vitest';
import { codeOf, describeError } from '../src/errors.ts';

const withCause = (message: string, cause: unknown) => new Error(message, { cause });
const circular = new Error('circular');
circular.cause = withCause('and again', circular);

test.each([
  ['an error', new Error('it broke'), 'it broke'],
  [
    'its causes',
    withCause('could not read it', withCause('open', new Error('ENOENT'))),
    'could not read it: open: ENOENT',
  ],
  [
    'a cause that its message already contains',
    withCause('could not: ENOENT', new Error('ENOENT')),
    'could not: ENOENT',
  ],
  ['an error without a message, with a cause', withCause('', new Error('ENOENT')), 'ENOENT'],
  ['an error without a message', new TypeError(''), 'TypeError'],
  [
    'several errors',
    new AggregateError([new Error('a'), new Error('b')], 'neither answered'),
    'neither answered',
  ],
  ['several errors without a message', new AggregateError([new Error('a')]), 'AggregateError'],
  ['a text', 'just a text', 'just a text'],
  ['an empty text', '', 'unknown error'],
  ['nothing', undefined, 'unknown error'],
  ['null', null, 'null'],
  ['a cause that is a text', withCause('could not', 'because'), 'could not: because'],
  ['several lines', new Error('one\r\n  two\tthree'), 'one two three'],
  ['circular causes', circular, 'circular: and again'],
])('%s is described on one line', (_, error, line) => {
  expect(describeError(error)).toBe(line);
});

test('a very long message is truncated', () => {
  expect(describeError(new Error('x'.repeat(1_000_000)))).toHaveLength(2000);
});

test.each([
  [Object.assign(new Error('gone'), { code: 'ENOENT' }), 'ENOENT'],
  [Object.assign(new Error('odd'), { code: 5 }), '5'],
  [Object.assign(new Error('none'), { code: undefined }), undefined],
  [new Error('none'), undefined],
  [{ code: 'ENOENT' }, undefined],
  ['ENOENT', undefined],
])('the code of %o is %s', (error, code) => {
  expect(codeOf(error)).toBe(code);
});
