import { gzipSync } from 'node:zlib';

/** Bytes that many responses share. A client that does not read them costs no memory of its own. */
export interface Body {
  readonly bytes: Buffer;
  /** The same compressed, which is done once. */
  gzipped(): Buffer;
}

export function createBody(text: string): Body {
  const bytes = Buffer.from(text);
  let gzipped: Buffer | undefined;
  return {
    bytes,
    gzipped() {
      gzipped ??= gzipSync(bytes);
      return gzipped;
    },
  };
}

/** Whether an `Accept-Encoding` header allows gzip (RFC 9110, section 12.5.3). `*` alone does not select it. */
export const acceptsGzip = (header: string | undefined): boolean =>
  (header ?? '').split(',').some((part) => {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((each) => /^q=0(\.0*)?$/.test(each));
  });
