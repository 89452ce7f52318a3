import type { Certificate } from '../../src/host/certificates/types.ts';
import { certificateWith } from './certificates.ts';
import { sampleNow } from './samples.ts';

const year = 31_536_000_000;

/** A chain in which each certificate is issued by the next: three months old, valid for another year by default. */
export const chainOf = (
  name: string,
  length: number,
  expiresAt = sampleNow.getTime() + year,
): Certificate[] =>
  Array.from({ length }, (_, i) =>
    certificateWith({
      subject: `CN=${name} ${i}`,
      issuer: `CN=${name} ${i + 1}`,
      notBefore: new Date(sampleNow.getTime() - year / 4),
      notAfter: new Date(expiresAt),
      isCa: i > 0,
      ...(i + 1 < length ? { signer: i + 1 } : {}),
    }),
  );

/** The certificates that certd keeps, independent of the number of modules. */
const files = ['aziot-edgedca', 'edgeHub-server', 'deviceid', 'est-bootstrap', 'est-identity'];
export const certdFiles = files.map((name) => `/var/lib/aziot/certd/certs/${name}.cer`);
