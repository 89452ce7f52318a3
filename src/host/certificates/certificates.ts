import { X509Certificate } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import type { Files } from '../files/files.ts';
import { describeCertificates } from './describe-certificate.ts';
import type { Certificate } from './types.ts';

/**
 * Reads the certificates of a file. certd writes in place, so the file may be half written when it is read; and where a link
 * is replaced, its old target may be gone when it is opened. A file that is malformed or missing is resolved and read once
 * more after `rereadAfterMs`.
 */
export function createCertificates({
  read,
  rereadAfterMs = 200,
}: {
  read: Files['read'];
  rereadAfterMs?: number;
}): Host['certificates'] {
  return async (path, signal) => {
    const found = await read(path, signal).then(parseCertificates, (error: unknown) => {
      if (!(error instanceof CannotTell) || error.reason !== 'not_found') throw error;
      return error.message;
    });
    if (typeof found !== 'string') return found;
    await setTimeout(rereadAfterMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    const again = parseCertificates(await read(path, signal));
    if (typeof again !== 'string') return again;
    throw new CannotTell('unreadable', `${path} holds no readable certificate: ${again}`);
  };
}

// A body has no hyphen, which keeps the search linear.
const block =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g;

/**
 * Every certificate in PEM, whatever surrounds the blocks, or one in DER; otherwise a clause that says what was found
 * instead. Other blocks, private keys in particular, are skipped and never parsed.
 */
export function parseCertificates(bytes: Buffer): readonly Certificate[] | string {
  if (bytes.length === 0) return 'it is empty';
  const text = bytes.toString('latin1');
  const labels = [...text.matchAll(label)].map(([, name = '']) => name);
  if (labels.length === 0) return parseAll([bytes], `${bytes.length} bytes that are neither PEM nor DER`);
  const expected = labels.filter((name) => name.endsWith('CERTIFICATE'));
  if (expected.length === 0) return `only ${[...new Set(labels)].slice(0, 5).join(', ')}`;
  const blocks = text.match(block) ?? [];
  if (blocks.length < expected.length)
    return `certificate ${blocks.length + 1} of ${expected.length} is cut off`;
  return parseAll(blocks, 'the PEM block of a certificate with something else in it');
}

function parseAll(encoded: readonly (string | Buffer)[], otherwise: string): readonly Certificate[] | string {
  try {
    const certificates = describeCertificates(encoded.map((one) => new X509Certificate(one)));
    const undated = certificates.find(({ notBefore, notAfter }) => !(notAfter > notBefore));
    return undated
      ? `a certificate of ${undated.subject} whose validity ends before it begins`
      : certificates;
  } catch {
    // OpenSSL's own message would not help.
    return otherwise;
  }
}
