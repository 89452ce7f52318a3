import type { Certificate } from '../../src/host/certificates/types.ts';
import { certificateWith } from './certificates.ts';
import { sampleNow } from './samples.ts';

const year = 31_536_000_000;

/** A chain of some length, each certificate issued by the next, a quarter of a year old and valid for a year. */
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

/** What certd keeps, however many modules there are. */
const files = ['aziot-edgedca', 'edgeHub-server', 'deviceid', 'est-bootstrap', 'est-identity'];
export const certdFiles = files.map((name) => `/var/lib/aziot/certd/certs/${name}.cer`);
