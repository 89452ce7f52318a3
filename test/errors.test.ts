import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer, type LookupFunction, connect as tcp } from 'node:net';
import { join } from 'node:path';
import { connect as tls } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { codeOf, describeError, describeFailure } from '../src/errors.ts';
import { refusedPort, tcpServer } from './support/servers/tcp.ts';
import { tempFolder } from './support/temp-folder.ts';

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
  ['several errors without a message', new AggregateError([new Error('a'), new Error('b')]), 'a; b'],
  ['no errors without a message', new AggregateError([]), 'AggregateError'],
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

/** The error that some work really fails with. */
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => new Error('it worked'),
    (error: unknown) => error,
  );

/** The error that an event emitter really reports. */
const errorFrom = async (emitter: NodeJS.EventEmitter): Promise<unknown> => (await once(emitter, 'error'))[0];

/** A server that closes each connection, with some bytes before that. */
const closing = (bytes: string) => tcpServer((socket) => socket.once('data', () => socket.end(bytes)));

describe('a system error below a sentence that names its value is reduced to its words', () => {
  test.each<[string, (folder: string) => Promise<unknown>, string, string]>([
    [
      'opening',
      (folder) => errorOf(readFile(join(folder, 'nope'))),
      'Cannot read FOLDER/nope',
      'no such file or directory',
    ],
    [
      'reading a folder',
      async (folder) => {
        const handle = await open(folder);
        return errorOf(handle.read(Buffer.alloc(1))).finally(() => handle.close());
      },
      'Cannot read FOLDER',
      'illegal operation on a directory',
    ],
    [
      'a file as a folder',
      (folder) => errorOf(mkdir(join(folder, 'file/inside'))),
      'Cannot create FOLDER/file/inside',
      'not a directory',
    ],
    [
      'renaming',
      (folder) => errorOf(rename(join(folder, 'a.tmp'), join(folder, 'a'))),
      'Cannot write FOLDER/a',
      'no such file or directory',
    ],
    [
      'a program',
      () => errorOf(promisify(execFile)('/nope')),
      'Cannot run /nope',
      'no such file or directory',
    ],
    [
      'a unix socket',
      (folder) => errorFrom(tcp({ path: join(folder, 'nope.sock') })),
      'Nothing listens at FOLDER/nope.sock',
      'no such file or directory',
    ],
    [
      'a closed port',
      async () => errorFrom(tcp({ host: '127.0.0.1', port: await refusedPort() })),
      'Could not connect to 127.0.0.1:80',
      'connection refused',
    ],
    [
      'an unknown name',
      () => errorFrom(tcp({ host: 'nope.invalid', port: 80, lookup: noSuchName })),
      'Could not connect to mqtts://nope.invalid:8883',
      'no such host name',
    ],
    [
      'a port that is in use',
      async () => {
        const { port } = await tcpServer(() => undefined);
        const server = createServer().listen(port, '127.0.0.1');
        return errorFrom(server);
      },
      'Could not listen on 127.0.0.1 (HARDENING_PORT)',
      'address already in use',
    ],
    [
      'a UDP port that is in use',
      async () => {
        const [first, second] = [createSocket('udp4'), createSocket('udp4')];
        first.bind(0, '127.0.0.1');
        await once(first, 'listening');
        second.bind(first.address().port, '127.0.0.1');
        return errorFrom(second).finally(() => first.close());
      },
      'Could not listen on 127.0.0.1 (UDP)',
      'address already in use',
    ],
  ])('%s', async (_, fail, attempt, words) => {
    const folder = await tempFolder();
    await (await open(join(folder, 'file'), 'w')).close();
    const said = attempt.replace('FOLDER', folder);
    const cause = await fail(folder);
    expect(describeError(withCause(said, cause))).toBe(`${said}: ${words}`);
    expect(describeFailure(said, cause)).toBe(`${said}: ${words}`);
  });
});

const noSuchName: LookupFunction = (hostname, _options, done) =>
  done(
    Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname,
    }),
    '',
  );

test('a system error keeps the value that no sentence before it names', async () => {
  const port = await refusedPort();
  const refused = await errorFrom(tcp({ host: '127.0.0.1', port }));
  expect(describeError(withCause('Could not connect to edgeHub', refused))).toBe(
    `Could not connect to edgeHub: connection refused (127.0.0.1:${port})`,
  );
  const missing = await errorOf(readFile('/nope/a'));
  expect(describeError(withCause('No memory', missing))).toBe(
    'No memory: no such file or directory (/nope/a)',
  );
  const v6 = Object.assign(new Error('connect EHOSTUNREACH ::1:5 - Local (:::0)'), {
    code: 'EHOSTUNREACH',
    syscall: 'connect',
    address: '::1',
    port: 5,
  });
  expect(describeError(withCause('No way', v6))).toBe('No way: host is unreachable ([::1]:5)');
});

test.each([
  ['No connection to 10.0.0.10', 'connection refused (10.0.0.1:443)'],
  ['No connection to 110.0.0.1', 'connection refused (10.0.0.1:443)'],
  ['No connection to 10.0.0.1', 'connection refused'],
  ['No connection to 10.0.0.1:443', 'connection refused'],
])('a value is not taken for a part of another one: %s', (sentence, words) => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), {
    ...{ code: 'ECONNREFUSED', syscall: 'connect', address: '10.0.0.1', port: 443 },
  });
  expect(describeFailure(sentence, cause)).toBe(`${sentence}: ${words}`);
});

test('a system error is left out where its code or its words were said', async () => {
  const port = await refusedPort();
  const refused = await errorFrom(tcp({ host: '127.0.0.1', port }));
  const said = `127.0.0.1:${port} refused the connection (ECONNREFUSED)`;
  expect(describeError(withCause(said, refused))).toBe(said);
  expect(describeError(withCause('no luck, connection refused', refused))).toBe(
    'no luck, connection refused',
  );
  expect(describeError(withCause('one', withCause(said, refused)))).toBe(`one: ${said}`);
});

test('an error with a code that Node.js describes itself is left out where its code was said', async () => {
  const { port } = await closing('');
  const hungUp = await errorFrom(get({ host: '127.0.0.1', port }));
  expect(describeError(withCause('The proxy closed the connection (ECONNRESET)', hungUp))).toBe(
    'The proxy closed the connection (ECONNRESET)',
  );
});

test.each([
  ['ESERVFAIL', 'the name server failed'],
  ['EREFUSED', 'the name server refused to answer'],
  ['ETIMEOUT', 'the name server did not answer'],
  ['ENOTFOUND', 'no such host name'],
  ['EBADNAME', 'EBADNAME'],
])('the resolver answers %s', (code, words) => {
  const cause = Object.assign(new Error(`queryA ${code} a.test`), {
    code,
    syscall: 'queryA',
    hostname: 'a.test',
  });
  expect(describeError(withCause('No address for a.test', cause))).toBe(`No address for a.test: ${words}`);
  expect(describeError(withCause(`No address (${code})`, cause))).toBe(`No address (${code})`);
});

test('a system error on its own keeps the system call and its arguments', async () => {
  expect(describeError(await errorOf(readFile('/nope')))).toBe(
    "ENOENT: no such file or directory, open '/nope'",
  );
});

test('a system error that was sent by a child process is reduced too', () => {
  const sent = Object.assign(new Error("EACCES: permission denied, statfs '/data'"), { code: 'EACCES' });
  expect(describeError(withCause('Could not measure /data', sent))).toBe(
    'Could not measure /data: permission denied',
  );
});

test('the attempts of one connection are described once each', () => {
  const attempt = (address: string) =>
    Object.assign(new Error(`connect ECONNREFUSED ${address}:80`), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
      address,
      port: 80,
    });
  const both = new AggregateError([attempt('127.0.0.1'), attempt('::1')]);
  expect(describeError(withCause('Could not reach localhost', both))).toBe(
    'Could not reach localhost: connection refused (127.0.0.1:80); connection refused ([::1]:80)',
  );
});

test('a name that the resolver does not find', async () => {
  const resolver = new Resolver({ timeout: 100, tries: 1 });
  resolver.setServers([`127.0.0.1:${await refusedPort()}`]);
  const cause = await errorOf(resolver.resolve4('nope.invalid'));
  expect(describeError(withCause('nope.invalid does not resolve', cause))).toBe(
    'nope.invalid does not resolve: connection refused',
  );
});

test.each([
  ['HTTP that ends too early', '', 'socket hang up'],
  ['what is not HTTP', 'SSH-2.0-x\r\n', 'Parse Error: Expected HTTP/, RTSP/ or ICE/'],
])('%s is described by Node.js alone', async (_, bytes, words) => {
  const { port } = await closing(bytes);
  const cause = await errorFrom(get({ host: '127.0.0.1', port }));
  expect(describeError(withCause('No answer', cause))).toContain(`No answer: ${words}`);
});

test('an error of OpenSSL is reduced to its reason', async () => {
  const { port } = await closing('SSH-2.0-x\r\n');
  const cause = await errorFrom(tls({ host: '127.0.0.1', port }));
  expect(describeError(withCause('No connection', cause))).toMatch(/^No connection: [a-z0-9 ]+$/);
  expect(describeError(cause)).toMatch(/^[a-z0-9 ]+$/);
});

describe('an error of JSON.parse never quotes the text', () => {
  test.each(['hunter2', '{"key": hunter2}', '{"hunter2', '[1,', '{"a":1} hunter2', '{"hunter2":"\n"}', ''])(
    '%j',
    async (text) => {
      const cause = await errorOf(Promise.resolve().then(() => JSON.parse(text)));
      expect(describeError(cause)).toMatch(/^not valid JSON( at character \d+)?$/);
      expect(describeError(withCause('9 bytes that are not valid JSON', cause))).toMatch(
        /^9 bytes that are not valid JSON(: at character \d+)?$/,
      );
      expect(describeError(withCause('The answer is bad', cause))).toMatch(
        /^The answer is bad: not valid JSON( at character \d+)?$/,
      );
    },
  );
});
