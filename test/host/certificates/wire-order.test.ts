import { once } from 'node:events';
import { connect, createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { createRoot } from '../../../simulator/workload/pki.ts';
import { createWireOrder, type WireOrder } from '../../../src/host/certificates/wire-order.ts';
import { tlsServer } from '../../support/servers/tcp.ts';

const root = await createRoot({ commonName: 'Root' });
const middle = await root.issue({ commonName: 'Middle', ca: true });
const leaf = await middle.issue({ commonName: 'Leaf' });
const stranger = await createRoot({ commonName: 'Stranger' });
const inOrder = [leaf, middle, root];
const outOfOrder = [leaf, root, middle];

/** Asks a server that sends these certificates, by one name. */
async function look(wireOrder: WireOrder, [first, ...rest]: typeof inOrder) {
  const key = first?.key ?? '';
  const { port } = await tlsServer({
    key,
    chain: [first, ...rest].map((each) => each?.certificate ?? '').join(''),
  });
  const secureContext = createSecureContext({ ca: [] });
  const socket = connect({ port, host: '127.0.0.1', secureContext, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const sent = wireOrder(socket, socket.getPeerCertificate(true), 'hub.test:443').map(
    ({ subject }) => subject,
  );
  socket.destroy();
  return sent;
}

const ordered = ['CN=Leaf', 'CN=Middle', 'CN=Root'];
const disordered = ['CN=Leaf', 'CN=Root', 'CN=Middle'];

test('the certificates of a server are listed in their order, including those outside the chain', async () => {
  expect(await look(createWireOrder(), [leaf, stranger, middle])).toEqual([
    'CN=Leaf',
    'CN=Stranger',
    'CN=Middle',
  ]);
});

test('a wrong order is read again every time, so that a correction shows at once', async () => {
  const wireOrder = createWireOrder();
  expect(await look(wireOrder, outOfOrder)).toEqual(disordered);
  expect(await look(wireOrder, outOfOrder)).toEqual(disordered);
  expect(await look(wireOrder, inOrder)).toEqual(ordered);
});

test('a right order is kept for a day, and another chain is read at once', async () => {
  let now = 0;
  const wireOrder = createWireOrder({ now: () => now });
  expect(await look(wireOrder, inOrder)).toEqual(ordered);
  expect(await look(wireOrder, outOfOrder)).toEqual(disordered);

  const beside = ['CN=Leaf', 'CN=Middle', 'CN=Stranger'];
  expect(await look(wireOrder, [leaf, middle, stranger])).toEqual(beside);
  now = 86_399_999;
  expect(await look(wireOrder, outOfOrder)).toEqual(beside);
  now = 86_400_000;
  expect(await look(wireOrder, outOfOrder)).toEqual(disordered);
});
