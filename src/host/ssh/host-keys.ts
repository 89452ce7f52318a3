import { CannotTell } from '../../check.ts';
import type { Files } from '../files/files.ts';
import type { Directive, HostKey } from './types.ts';

/** Those that sshd uses unless it is told otherwise. */
const defaults = ['rsa', 'ecdsa', 'ed25519'].map((type) => `/etc/ssh/ssh_host_${type}_key`);

/** The public halves of the host keys. One that cannot be read is left out: its private half may be in an agent. */
export async function readHostKeys(
  directives: readonly Directive[],
  files: Pick<Files, 'read'>,
  signal: AbortSignal,
): Promise<readonly HostKey[]> {
  const named = directives.filter(({ keyword }) => keyword === 'hostkey').flatMap(({ values }) => values);
  const paths = (named.length > 0 ? named : defaults).slice(0, 16);
  const keys = await Promise.all(
    paths.map(async (path): Promise<HostKey[]> => {
      try {
        return parsePublicKey(path, (await files.read(`${path}.pub`, signal)).toString());
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof CannotTell) return [];
        throw error;
      }
    }),
  );
  return keys.flat();
}

/** Reads `type base64 comment`; the blob holds texts and numbers, each after its length (RFC 4253, section 6.6). */
function parsePublicKey(path: string, text: string): HostKey[] {
  const [type = '', encoded = ''] = text.trim().split(/\s+/, 2);
  if (!/^[a-z0-9@.-]{1,64}$/.test(type)) return [];
  const blob = Buffer.from(encoded, 'base64');
  const fields: Buffer[] = [];
  for (let at = 0; at + 4 <= blob.length && fields.length < 8; ) {
    const length = blob.readUInt32BE(at);
    fields.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  // RSA: type, exponent, modulus. DSA: type, prime.
  const number = type === 'ssh-rsa' ? fields[2] : type === 'ssh-dss' ? fields[1] : undefined;
  return [{ path, type, ...(number && { bits: bitsOf(number) }) }];
}

function bitsOf(number: Buffer): number {
  const from = number.findIndex((byte) => byte !== 0);
  return from < 0 ? 0 : (number.length - from) * 8 - Math.clz32(number[from] ?? 0) + 24;
}
