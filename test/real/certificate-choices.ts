import {
  basicConstraints,
  directory,
  dns,
  type ExtensionSpec,
  email,
  extendedKeyUsage,
  ip,
  keyUsage,
  nameConstraints,
  unknownCritical,
  uri,
} from './certificate-der.ts';

/** What a generated chain can be made of. `how` is empty where nothing is unusual. */
export interface Choice<T> {
  readonly how: string;
  readonly value: T;
  readonly weight?: number;
}

export const goodCa = [basicConstraints(true), keyUsage('keyCertSign', 'cRLSign')];

/** A CA's extensions; undefined for a version 1 certificate. */
export const authorities: readonly Choice<readonly ExtensionSpec[] | undefined>[] = [
  { how: '', value: goodCa, weight: 24 },
  { how: 'CA version 1', value: undefined, weight: 2 },
  { how: 'CA without key usage', value: [basicConstraints(true)] },
  { how: 'CA without basic constraints', value: [] },
  { how: 'CA without basic constraints but keyCertSign', value: [keyUsage('keyCertSign')] },
  { how: 'CA:FALSE', value: [basicConstraints(false), keyUsage('keyCertSign')] },
  { how: 'CA without keyCertSign', value: [basicConstraints(true), keyUsage('cRLSign', 'digitalSignature')] },
  { how: 'CA pathlen 0', value: [basicConstraints(true, 0), keyUsage('keyCertSign')], weight: 2 },
  { how: 'CA pathlen 1', value: [basicConstraints(true, 1), keyUsage('keyCertSign')] },
  { how: 'CA for clients', value: [...goodCa, extendedKeyUsage('client')], weight: 2 },
  { how: 'CA for servers', value: [...goodCa, extendedKeyUsage('server')] },
  { how: 'CA for any use', value: [...goodCa, extendedKeyUsage('any')] },
  { how: 'CA for code', value: [...goodCa, extendedKeyUsage('code')] },
  { how: 'CA with an unknown critical extension', value: [...goodCa, unknownCritical] },
  ...(
    [
      ['permits test', [dns('test')], []],
      ['permits .test', [dns('.test')], []],
      ['permits other.org', [dns('other.org')], []],
      ['permits 10.0.0.0/8', [ip('0a000000ff000000')], []],
      ['excludes 10.1.0.0/16', [], [ip('0a010000ffff0000')]],
      ['excludes mail.test', [], [email('mail.test')]],
      ['permits one mailbox', [email('root@mail.test')], []],
      ['permits a directory', [directory('leaf 0')], []],
      ['excludes URIs', [], [uri('.test')]],
      ['excludes test', [], [dns('test')]],
    ] as const
  ).map(([how, permitted, excluded]) => ({
    how: `CA ${how}`,
    value: [...goodCa, nameConstraints(permitted, excluded)],
  })),
];

export const leaves: readonly Choice<readonly ExtensionSpec[] | undefined>[] = [
  {
    how: '',
    value: [basicConstraints(false), keyUsage('digitalSignature'), extendedKeyUsage('server')],
    weight: 12,
  },
  { how: 'leaf for both', value: [extendedKeyUsage('server', 'client')], weight: 3 },
  { how: 'leaf without usages', value: [basicConstraints(false)], weight: 4 },
  { how: 'leaf for clients', value: [extendedKeyUsage('client')], weight: 2 },
  { how: 'leaf for any use', value: [extendedKeyUsage('any')] },
  { how: 'leaf for code', value: [extendedKeyUsage('code')] },
  { how: 'leaf with keyCertSign alone', value: [keyUsage('keyCertSign')] },
  { how: 'leaf with keyEncipherment alone', value: [keyUsage('keyEncipherment')] },
  {
    how: 'client leaf with keyEncipherment',
    value: [keyUsage('keyEncipherment'), extendedKeyUsage('client')],
  },
  { how: 'leaf that is a CA', value: [basicConstraints(true), keyUsage('keyCertSign')] },
  {
    how: 'leaf that is a CA and signs',
    value: [basicConstraints(true), keyUsage('keyCertSign', 'digitalSignature')],
  },
  { how: 'leaf with an unknown critical extension', value: [unknownCritical] },
];

export const alternatives: readonly Choice<readonly Buffer[]>[] = [
  { how: '', value: [], weight: 6 },
  { how: 'address 10.1.2.3', value: [ip('0a010203')] },
  { how: 'address 192.0.2.1', value: [ip('c0000201')] },
  { how: 'mailbox', value: [email('root@mail.test')] },
  { how: 'other mailbox', value: [email('user@mail.test')] },
  { how: 'URI', value: [uri('https://a.test:1/x')] },
];

export type KeyIds = 'key' | 'none' | 'wrong' | 'serial' | 'wrong serial';
export const keyIds: readonly Choice<KeyIds>[] = [
  { how: '', value: 'key', weight: 14 },
  { how: 'no key identifiers', value: 'none', weight: 6 },
  { how: 'wrong key identifier', value: 'wrong' },
  { how: 'identifier with serial number', value: 'serial' },
  { how: 'identifier with wrong serial number', value: 'wrong serial' },
];

export type Order =
  | 'straight'
  | 'reversed'
  | 'leaf twice'
  | 'CA twice'
  | 'stranger last'
  | 'stranger between'
  | 'renewed'
  | 'rekeyed'
  | 'crossed';
export const orders: readonly Choice<Order>[] = [
  { how: '', value: 'straight', weight: 16 },
  ...(
    [
      'reversed',
      'leaf twice',
      'CA twice',
      'stranger last',
      'stranger between',
      'renewed',
      'rekeyed',
      'crossed',
    ] as const
  ).map((value) => ({ how: value, value })),
];

export type Fault =
  | 'none'
  | 'bad signature'
  | 'expired'
  | 'expired CA'
  | 'untrusted'
  | 'intermediate trusted'
  | 'missing'
  | 'same name'
  | 'other case'
  | 'self-issued';
export const faults: readonly Choice<Fault>[] = [
  { how: '', value: 'none', weight: 20 },
  ...(
    [
      'bad signature',
      'expired',
      'expired CA',
      'untrusted',
      'intermediate trusted',
      'missing',
      'same name',
      'other case',
      'self-issued',
    ] as const
  ).map((value) => ({ how: value, value })),
];

export const depths: readonly Choice<number>[] = [
  { how: 'no CA', value: 0 },
  { how: '1 CA', value: 1, weight: 3 },
  { how: '2 CAs', value: 2, weight: 2 },
  { how: '3 CAs', value: 3 },
];
