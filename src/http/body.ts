/** Bytes that many responses share. A client that does not read them costs no memory of its own. */
export interface Body {
  readonly bytes: Buffer;
  /** The same compressed, which is done once. */
  gzipped(): Promise<Buffer>;
}

export function createBody(text: string): Body {
  const bytes = Buffer.from(text);
  let gzipped: Promise<Buffer> | undefined;
  return {
    bytes,
    gzipped() {
      gzipped ??= gzip(bytes);
      return gzipped;
    },
  };
}

/**
 * Loads zlib when a client first accepts compressed bodies. Synchronous, a millisecond for each change: files on a mount that
 * hangs may occupy every thread that zlib could use.
 */
async function gzip(bytes: Buffer): Promise<Buffer> {
  const { gzipSync } = await import('node:zlib');
  return gzipSync(bytes);
}

/** Whether an `Accept-Encoding` header allows gzip (RFC 9110, section 12.5.3). `*` alone does not select it. */
export const acceptsGzip = (header: string | undefined): boolean =>
  (header ?? '').split(',').some((part) => {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    return coding === 'gzip' && !parameters.some((each) => /^q=0(\.0*)?$/.test(each));
  });
