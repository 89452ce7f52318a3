const endOfHead = '\r\n\r\n';

/** Whether these bytes contain a whole HTTP response: all of its `Content-Length`, or its last chunk. */
export function isComplete(bytes: Buffer): boolean {
  const headLength = bytes.indexOf(endOfHead);
  if (headLength < 0) return false;
  const body = headLength + endOfHead.length;
  const length = /^content-length: *(\d+)/im.exec(bytes.toString('latin1', 0, headLength))?.[1];
  return length === undefined ? hasLastChunk(bytes, body) : bytes.length >= body + Number(length);
}

/** Chunks, without trailers, are `<size in hex>\r\n<data>\r\n`; the last has no data. */
function hasLastChunk(bytes: Buffer, first: number): boolean {
  let start = first;
  for (;;) {
    const data = bytes.indexOf('\r\n', start) + 2;
    if (data < 2) return false;
    const size = Number.parseInt(bytes.toString('latin1', start, data), 16);
    if (Number.isNaN(size)) throw new Error('The response has neither Content-Length nor chunks');
    start = data + size + 2;
    if (size === 0) return bytes.length >= start;
  }
}
