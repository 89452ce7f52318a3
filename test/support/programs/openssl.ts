import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate made by openssl(1). */
export interface MadeCertificate {
  readonly pem: string;
  /** Path of the certificate. */
  readonly certificate: string;
  /** Path of the private key. */
  readonly key: string;
  readonly subject: string;
}

interface Request {
  readonly subject: string;
  /** Without one the certificate is self-signed. */
  readonly issuer?: MadeCertificate;
  /** Reuses the key of another certificate, like a renewal that keeps the key. */
  readonly keyOf?: MadeCertificate;
  /** Lines of an extension file, x509v3_config(5). */
  readonly extensions?: readonly string[];
  /** Arguments after `-newkey`. */
  readonly newKey?: readonly string[];
  readonly hash?: string;
}

export const caExtensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];

export const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });

/** Returns a function that makes certificates in a folder. */
export function createMaker(folder: string): (request: Request) => MadeCertificate {
  let count = 0;
  return ({ subject, issuer, keyOf, extensions = [], newKey, hash = 'sha256' }) => {
    count += 1;
    const path = (kind: string) => join(folder, `${count}.${kind}`);
    const key = keyOf?.key ?? path('key');
    const request = path('csr');
    const certificate = path('pem');
    const newKeyArguments = ['-newkey', ...(newKey ?? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'])];
    const keyArguments = keyOf ? ['-key', key] : [...newKeyArguments, '-nodes', '-keyout', key];
    openssl('req', '-new', ...keyArguments, '-subj', `/CN=${subject}`, '-out', request);
    writeFileSync(path('ext'), [...extensions, ''].join('\n'));
    const signerArguments = issuer ? ['-CA', issuer.certificate, '-CAkey', issuer.key] : ['-signkey', key];
    const options = ['-days', '90', `-${hash}`, '-set_serial', String(1000 + count), '-extfile', path('ext')];
    openssl('x509', '-req', '-in', request, ...signerArguments, ...options, '-out', certificate);
    return { pem: readFileSync(certificate, 'utf8'), certificate, key, subject };
  };
}
