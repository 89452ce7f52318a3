import { type KeyObject, sign } from 'node:crypto';

const seq = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const integer = (hex: string): Buffer => der(0x02, Buffer.from(hex, 'hex'));
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const boolean = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 0xff : 0]));

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...arcs].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let rest = arc >> 7; rest > 0; rest >>= 7) septets.unshift((rest & 0x7f) | 0x80);
    return septets;
  });
  return der(0x06, Buffer.from(bytes));
}

const name = (commonName: string): Buffer => seq(der(0x31, seq(oid('2.5.4.3'), utf8(commonName))));

export interface ExtensionSpec {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Buffer;
}

const keyUsageBits = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 };
type Usage = keyof typeof keyUsageBits;

export const basicConstraints = (ca: boolean, pathLength?: number): ExtensionSpec => ({
  oid: '2.5.29.19',
  critical: true,
  value: seq(
    ...(ca ? [boolean(true)] : []),
    ...(pathLength === undefined ? [] : [integer(pathLength.toString(16).padStart(2, '0'))]),
  ),
});

export const keyUsage = (...usages: readonly Usage[]): ExtensionSpec => {
  const bits = usages.reduce((all, usage) => all | (0x80 >> keyUsageBits[usage]), 0);
  return { oid: '2.5.29.15', critical: true, value: der(0x03, Buffer.from([0, bits])) };
};

const extendedUsages = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  code: '1.3.6.1.5.5.7.3.3',
  any: '2.5.29.37.0',
};

export const extendedKeyUsage = (...usages: readonly (keyof typeof extendedUsages)[]): ExtensionSpec => ({
  oid: '2.5.29.37',
  value: seq(...usages.map((usage) => oid(extendedUsages[usage]))),
});

export const dns = (value: string): Buffer => der(0x82, Buffer.from(value));
export const email = (value: string): Buffer => der(0x81, Buffer.from(value));
export const uri = (value: string): Buffer => der(0x86, Buffer.from(value));
export const ip = (hex: string): Buffer => der(0x87, Buffer.from(hex, 'hex'));
export const directory = (commonName: string): Buffer => der(0xa4, name(commonName));

export const alternativeNames = (names: readonly Buffer[]): ExtensionSpec => ({
  oid: '2.5.29.17',
  value: seq(...names),
});

export const nameConstraints = (permitted: readonly Buffer[], excluded: readonly Buffer[]): ExtensionSpec => {
  const subtrees = (tag: number, bases: readonly Buffer[]) =>
    bases.length === 0 ? [] : [der(tag, ...bases.map((base) => seq(base)))];
  return {
    oid: '2.5.29.30',
    critical: true,
    value: seq(...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)),
  };
};

export const unknownCritical: ExtensionSpec = { oid: '1.2.3.4.5', critical: true, value: utf8('x') };

interface Spec {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  /** Hexadecimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Without them, it is of version 1. */
  readonly extensions?: readonly ExtensionSpec[] | undefined;
  readonly hasWrongSignature: boolean;
}

const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));

/** A certificate, PEM, signed with ECDSA and SHA-256. */
export function certificate(spec: Spec): string {
  const algorithm = seq(oid('1.2.840.10045.4.3.2'));
  const list = spec.extensions?.map(({ oid: id, critical, value }) =>
    seq(oid(id), ...(critical ? [boolean(true)] : []), der(0x04, value)),
  );
  const toBeSigned = seq(
    ...(list ? [der(0xa0, integer('02'))] : []),
    integer(spec.serial),
    algorithm,
    name(spec.issuer),
    seq(utcTime(spec.notBefore), utcTime(spec.notAfter)),
    name(spec.subject),
    spec.publicKey.export({ format: 'der', type: 'spki' }),
    ...(list && list.length > 0 ? [der(0xa3, seq(...list))] : []),
  );
  const signed = spec.hasWrongSignature ? Buffer.from('something else') : toBeSigned;
  const signature = sign('sha256', signed, spec.signingKey);
  const bytes = seq(toBeSigned, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

export const daysFromNow = (days: number): Date => new Date(Date.now() + days * 86_400_000);

/** The subject and the authority key identifier. `authority` may name the key, the certificate or both. */
export function keyIdentifiers(
  own: string,
  authority: { readonly keyId?: string; readonly issuer?: string; readonly serial?: string } = {},
): readonly ExtensionSpec[] {
  const id = (of: string) => Buffer.from(of.padEnd(20).slice(0, 20));
  const { keyId, issuer, serial } = authority;
  const parts = [
    ...(keyId === undefined ? [] : [der(0x80, id(keyId))]),
    ...(issuer === undefined ? [] : [der(0xa1, directory(issuer))]),
    ...(serial === undefined ? [] : [der(0x82, Buffer.from(serial, 'hex'))]),
  ];
  return [
    { oid: '2.5.29.14', value: der(0x04, id(own)) },
    ...(parts.length > 0 ? [{ oid: '2.5.29.35', value: seq(...parts) }] : []),
  ];
}
