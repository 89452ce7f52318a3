import { X509Certificate } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { CannotTell } from '../../check.ts';
import type { Host } from '../../host.ts';
import type { Files } from '../files/files.ts';
import { distinguishedName } from '../tls/peer.ts';
import { createSignatureChecks } from '../tls/signature-checks.ts';
import { describeCertificates } from './describe-certificate.ts';

/**
 * Reads the certificates of a file. certd writes in place, so the file may be half written when it is read; and where a link
 * is replaced, its old target may be gone when it is opened. A file that is malformed or missing is resolved and read once
 * more after `rereadAfterMs`. A private key is `not_applicable`.
 */
export function createCertificates({
  read,
  rereadAfterMs = 200,
}: {
  read: Files['read'];
  rereadAfterMs?: number;
}): Host['certificates'] {
  return async (path, signal) => {
    const find = async (): Promise<readonly X509Certificate[] | string> => {
      const bytes = await read(path, signal);
      if (holdsOnlyKeys(bytes)) {
        throw new CannotTell('not_applicable', `${path} holds a private key and no certificate`);
      }
      return parseCertificates(bytes);
    };
    const describe = (found: readonly X509Certificate[]) =>
      describeCertificates(found, createSignatureChecks());

    const found = await find().catch((error: unknown) => {
      if (!(error instanceof CannotTell) || error.reason !== 'not_found') throw error;
      return error.message;
    });
    if (typeof found !== 'string') return describe(found);
    await setTimeout(rereadAfterMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    const again = await find();
    if (typeof again !== 'string') return describe(again);
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
export function parseCertificates(bytes: Buffer): readonly X509Certificate[] | string {
  if (bytes.length === 0) return 'it is empty';
  const text = bytes.toString('latin1');
  const labels = labelsOf(text);
  if (labels.length === 0) return parseAll([bytes], `${bytes.length} bytes that are neither PEM nor DER`);
  const expected = labels.filter((name) => name.endsWith('CERTIFICATE'));
  if (expected.length === 0) return `only ${[...new Set(labels)].slice(0, 5).join(', ')}`;
  const blocks = text.match(block) ?? [];
  if (blocks.length < expected.length)
    return `certificate ${blocks.length + 1} of ${expected.length} is cut off`;
  return parseAll(blocks, 'the PEM block of a certificate with something else in it');
}

function holdsOnlyKeys(bytes: Buffer): boolean {
  const labels = labelsOf(bytes.toString('latin1'));
  return (
    labels.some((name) => name.endsWith('PRIVATE KEY')) &&
    !labels.some((name) => name.endsWith('CERTIFICATE'))
  );
}

const labelsOf = (text: string): string[] => [...text.matchAll(label)].map(([, name = '']) => name);

function parseAll(
  encoded: readonly (string | Buffer)[],
  otherwise: string,
): readonly X509Certificate[] | string {
  try {
    const certificates = encoded.map((one) => new X509Certificate(one));
    const undated = certificates.find(({ validFrom, validTo }) => !(new Date(validTo) > new Date(validFrom)));
    return undated
      ? `a certificate of ${distinguishedName(undated.subject)} whose validity ends before it begins`
      : certificates;
  } catch {
    // OpenSSL's own message would not help.
    return otherwise;
  }
}
