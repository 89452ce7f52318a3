import { createReadStream, fstatSync } from 'node:fs';
import { maxPolicyBytes } from '../policy/decode-text.ts';

/**
 * The bytes of a policy file, or of standard input for `-`: all of them, or more than a policy may have. A pipe is read
 * too, because a person waits for it.
 */
export async function readPolicyFile(file: string): Promise<Buffer> {
  const stream: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Node.js takes a folder for an empty stream.
    if (file === '-' && fstatSync(0).isDirectory()) throw new Error('it is a folder');
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxPolicyBytes) break;
    }
  } catch (cause) {
    throw new Error(`Could not read the policy ${nameOf(file)}`, { cause });
  }
  return Buffer.concat(chunks);
}

/** What messages call a policy file. */
export const nameOf = (file: string): string => (file === '-' ? 'standard input' : file || '""');
