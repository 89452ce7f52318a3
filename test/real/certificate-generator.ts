import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** One certificate, PEM, and its private key. */
interface Made {
  readonly pem: string;
  readonly key: KeyObject;
}

/** A chain as a server presents it or as a file holds it. */
export interface GeneratedChain {
  /** What was done to it, for messages. */
  readonly how: string;
  readonly leaf: Made;
  /** What follows the leaf. */
  readonly others: readonly Made[];
  /** The CA that the device trusts. */
  readonly trusted: Made;
  /** Those that its issuers lead to. Where `others` lacks one, there is nothing wrong with it. */
  readonly roots: readonly Made[];
  /** Reasons for which the check fails a file that OpenSSL accepts, by decision. */
  readonly decided: readonly string[];
  /** Whether the leaf's extended key usage allows TLS, and the leaf is no CA. */
  readonly isForTls: boolean;
}

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

interface ExtensionSpec {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Buffer;
}

const keyUsageBits = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 };
type Usage = keyof typeof keyUsageBits;

const basicConstraints = (ca: boolean, pathLength?: number): ExtensionSpec => ({
  oid: '2.5.29.19',
  critical: true,
  value: seq(
    ...(ca ? [boolean(true)] : []),
    ...(pathLength === undefined ? [] : [integer(pathLength.toString(16).padStart(2, '0'))]),
  ),
});

const keyUsage = (...usages: readonly Usage[]): ExtensionSpec => {
  const bits = usages.reduce((all, usage) => all | (0x80 >> keyUsageBits[usage]), 0);
  return { oid: '2.5.29.15', critical: true, value: der(0x03, Buffer.from([0, bits])) };
};

const extendedUsages = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  code: '1.3.6.1.5.5.7.3.3',
  any: '2.5.29.37.0',
};

const extendedKeyUsage = (...usages: readonly (keyof typeof extendedUsages)[]): ExtensionSpec => ({
  oid: '2.5.29.37',
  value: seq(...usages.map((usage) => oid(extendedUsages[usage]))),
});

const dns = (value: string): Buffer => der(0x82, Buffer.from(value));
const email = (value: string): Buffer => der(0x81, Buffer.from(value));
const uri = (value: string): Buffer => der(0x86, Buffer.from(value));
const ip = (hex: string): Buffer => der(0x87, Buffer.from(hex, 'hex'));
const directory = (commonName: string): Buffer => der(0xa4, name(commonName));

const alternativeNames = (names: readonly Buffer[]): ExtensionSpec => ({
  oid: '2.5.29.17',
  value: seq(...names),
});

const nameConstraints = (permitted: readonly Buffer[], excluded: readonly Buffer[]): ExtensionSpec => {
  const subtrees = (tag: number, bases: readonly Buffer[]) =>
    bases.length === 0 ? [] : [der(tag, ...bases.map((base) => seq(base)))];
  return {
    oid: '2.5.29.30',
    critical: true,
    value: seq(...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)),
  };
};

const unknownCritical: ExtensionSpec = { oid: '1.2.3.4.5', critical: true, value: utf8('x') };

interface Spec {
  readonly subject: string;
  readonly issuer: string;
  readonly key: KeyObject;
  readonly signingKey: KeyObject;
  readonly version?: 1 | 3;
  readonly serial?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly ExtensionSpec[];
  readonly publicKey: KeyObject;
  readonly badSignature?: boolean;
}

const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));

let serials = 0x1000;

function certificate(spec: Spec): Made {
  const { version = 3, notBefore = daysFromNow(-1), notAfter = daysFromNow(90), extensions = [] } = spec;
  serials += 1;
  const algorithm = seq(oid('1.2.840.10045.4.3.2'));
  const list = extensions.map(({ oid: id, critical, value }) =>
    seq(oid(id), ...(critical ? [boolean(true)] : []), der(0x04, value)),
  );
  const toBeSigned = seq(
    ...(version === 1 ? [] : [der(0xa0, integer('02'))]),
    integer(spec.serial ?? `01${serials.toString(16).padStart(8, '0')}`),
    algorithm,
    name(spec.issuer),
    seq(utcTime(notBefore), utcTime(notAfter)),
    name(spec.subject),
    spec.publicKey.export({ format: 'der', type: 'spki' }),
    ...(version === 1 || list.length === 0 ? [] : [der(0xa3, seq(...list))]),
  );
  const signature = sign('sha256', toBeSigned, spec.signingKey);
  const wrong = sign('sha256', Buffer.from('something else'), spec.signingKey);
  const bits = Buffer.concat([Buffer.from([0]), spec.badSignature ? wrong : signature]);
  const bytes = seq(toBeSigned, algorithm, der(0x03, bits));
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return { pem, key: spec.key };
}

const daysFromNow = (days: number): Date => new Date(Date.now() + days * 86_400_000);

/** Mulberry32: a number from 0 to below 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Choice<T> {
  readonly how: string;
  readonly value: T;
  readonly weight?: number;
}

const goodCa = [basicConstraints(true), keyUsage('keyCertSign', 'cRLSign')];

/** A CA's extensions; undefined for a version 1 certificate. */
const authorities: readonly Choice<readonly ExtensionSpec[] | undefined>[] = [
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

const leaves: readonly Choice<readonly ExtensionSpec[] | undefined>[] = [
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

const alternatives: readonly Choice<readonly Buffer[]>[] = [
  { how: '', value: [], weight: 6 },
  { how: 'address 10.1.2.3', value: [ip('0a010203')] },
  { how: 'address 192.0.2.1', value: [ip('c0000201')] },
  { how: 'mailbox', value: [email('root@mail.test')] },
  { how: 'other mailbox', value: [email('user@mail.test')] },
  { how: 'URI', value: [uri('https://a.test:1/x')] },
];

type KeyIds = 'key' | 'none' | 'wrong' | 'serial' | 'wrong serial';
const keyIds: readonly Choice<KeyIds>[] = [
  { how: '', value: 'key', weight: 14 },
  { how: 'no key identifiers', value: 'none', weight: 6 },
  { how: 'wrong key identifier', value: 'wrong' },
  { how: 'identifier with serial number', value: 'serial' },
  { how: 'identifier with wrong serial number', value: 'wrong serial' },
];

type Order =
  | 'straight'
  | 'reversed'
  | 'leaf twice'
  | 'CA twice'
  | 'stranger last'
  | 'stranger between'
  | 'renewed'
  | 'rekeyed'
  | 'crossed';
const orders: readonly Choice<Order>[] = [
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

type Fault =
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
const faults: readonly Choice<Fault>[] = [
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

/** Returns a function that generates chains, good and faulty; their names contain the number, the leaf is for `n<number>.test`. */
export function createChainGenerator(seed: number): (number: number) => GeneratedChain {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pool = Array.from({ length: 24 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  let used = 0;
  const nextKey = () => {
    used += 1;
    const pair = pool[used % pool.length];
    if (!pair) throw new Error('The pool of keys is empty');
    return pair;
  };

  return (number) => {
    const how: string[] = [];
    const pick = <T>(choices: readonly Choice<T>[]): T => {
      const weighted = choices.flatMap((choice) => Array.from({ length: choice.weight ?? 1 }, () => choice));
      const chosen = weighted[below(weighted.length)];
      if (!chosen) throw new Error('There is nothing to choose from');
      if (chosen.how) how.push(chosen.how);
      return chosen.value;
    };
    const depth = [0, 1, 1, 1, 2, 2, 3][below(7)] ?? 1;
    how.push(`${depth} CAs`);
    const fault = pick(faults);
    const order = pick(orders);
    const identifiers = pick(keyIds);
    // Only a CA that can be no leaf shows that another is missing between the two.
    const authority = () => (fault === 'missing' ? goodCa : pick(authorities));
    const rootExtensions = authority();
    // What is wrong with the root or the link to it shows only in a file that holds it.
    const needsRoot =
      rootExtensions !== goodCa ||
      identifiers.startsWith('wrong') ||
      fault === 'missing' ||
      (fault === 'bad signature' && depth < 2);
    const hasRoot = needsRoot || random() < 0.5;

    const identify = (
      keyName: string,
      issuerKeyName: string,
      issuerSerial: string,
      issuersIssuer: string,
    ): ExtensionSpec[] => {
      const id = (of: string) => Buffer.from(of.padEnd(20).slice(0, 20));
      const own = { oid: '2.5.29.14', value: der(0x04, id(keyName)) };
      const authority = (...parts: readonly Buffer[]) => ({ oid: '2.5.29.35', value: seq(...parts) });
      const bySerial = (serial: string) => [
        der(0xa1, directory(issuersIssuer)),
        der(0x82, Buffer.from(serial, 'hex')),
      ];
      switch (identifiers) {
        case 'none':
          return [];
        case 'key':
          return [own, authority(der(0x80, id(issuerKeyName)))];
        case 'wrong':
          return [own, authority(der(0x80, id('wrong')))];
        case 'serial':
          return [own, authority(der(0x80, id(issuerKeyName)), ...bySerial(issuerSerial))];
        case 'wrong serial':
          return [own, authority(...bySerial('0777'))];
      }
    };

    interface Ca extends Made {
      readonly subject: string;
      readonly issuer: string;
      readonly keyName: string;
      readonly serial: string;
    }
    const issue = (
      subject: string,
      issuer: Ca | undefined,
      extensions: readonly ExtensionSpec[] | undefined,
      more: {
        keyName?: string;
        keys?: ReturnType<typeof nextKey>;
        notAfter?: Date;
        badSignature?: boolean;
        issuerName?: string;
      } = {},
    ): Ca => {
      const { keyName = subject, keys = nextKey(), notAfter, badSignature, issuerName } = more;
      serials += 1;
      const serial = `01${serials.toString(16).padStart(8, '0')}`;
      const identifying = issuer
        ? identify(keyName, issuer.keyName, issuer.serial, issuer.issuer)
        : identify(keyName, keyName, serial, subject).slice(0, 1);
      const made = certificate({
        subject,
        issuer: issuerName ?? issuer?.subject ?? subject,
        key: keys.privateKey,
        publicKey: keys.publicKey,
        signingKey: issuer?.key ?? keys.privateKey,
        serial,
        version: extensions ? 3 : 1,
        extensions: [...(extensions ?? []), ...identifying],
        ...(notAfter && { notAfter, notBefore: daysFromNow(-400) }),
        ...(badSignature && { badSignature }),
      });
      return { ...made, subject, issuer: issuer?.subject ?? subject, keyName, serial };
    };

    const past = daysFromNow(-10);
    const root = issue(`Root ${number}`, undefined, rootExtensions);
    const cas: Ca[] = [];
    for (let i = 0; i < depth; i++) {
      const selfIssued = fault === 'self-issued' && i === 0;
      const subject = selfIssued ? `Root ${number}` : `CA ${number} ${i}`;
      cas.push(
        issue(subject, cas.at(-1) ?? root, authority(), {
          keyName: `CA ${number} ${i}`,
          ...(fault === 'expired CA' && i === 0 && { notAfter: past }),
          ...(fault === 'bad signature' && i === depth - 1 && { badSignature: true }),
        }),
      );
    }
    const issuer = cas.at(-1) ?? root;
    const names = [dns(`n${number}.test`), ...pick(alternatives)];
    const leafSubject = fault === 'same name' ? `Root ${number}` : `leaf ${number}`;
    const leafExtensions = fault === 'missing' ? leaves[0]?.value : pick(leaves);
    const leaf = issue(leafSubject, issuer, leafExtensions && [...leafExtensions, alternativeNames(names)], {
      keyName: `leaf ${number}`,
      ...(fault === 'expired' && { notAfter: past }),
      ...(fault === 'bad signature' && depth === 0 && { badSignature: true }),
      ...(fault === 'other case' && { issuerName: issuer.subject.toUpperCase().replace(' ', '  ') }),
    });
    const isLeafCa = /leaf that is a CA/.test(how.join());
    const stranger = () => issue(`Stranger ${number}`, undefined, goodCa);
    const upwards = cas.toReversed();
    const others = fault === 'missing' ? upwards.slice(1) : upwards;
    const whole = hasRoot ? [...others, root] : others;
    const roots = [root];
    return {
      how: `${number}: ${how.join(', ')}`,
      leaf,
      others: arranged(),
      trusted: fault === 'untrusted' ? stranger() : fault === 'intermediate trusted' ? issuer : root,
      roots,
      decided: [
        'wrong_order',
        // A CA at the end of a path is there to issue.
        ...(isLeafCa ? ['path_too_long'] : []),
        // Another CA stands where the root would, or one with its name.
        ...(!hasRoot && (order.startsWith('stranger') || (isLeafCa && fault === 'same name'))
          ? ['broken_link']
          : []),
        ...(order === 'crossed' && fault === 'missing' ? ['broken_link'] : []),
      ],
      isForTls: !isLeafCa && !/leaf for (any use|code)/.test(how.join()),
    };

    function arranged(): Made[] {
      const [first, ...rest] = others;
      switch (order) {
        case 'straight':
          return whole;
        case 'reversed':
          return whole.toReversed();
        case 'leaf twice':
          return [leaf, ...whole];
        case 'CA twice':
          return first ? [first, ...whole] : whole;
        case 'stranger last':
          return [...whole, stranger()];
        case 'stranger between':
          return [stranger(), ...whole];
        case 'renewed':
        case 'rekeyed': {
          if (!first) return whole;
          const ca = cas.at(-1);
          const above = cas.at(-2) ?? root;
          const pair = pool.find(({ privateKey }) => privateKey === ca?.key);
          const keys =
            order === 'renewed' && ca && pair
              ? { keys: pair, keyName: ca.keyName }
              : { keyName: `other ${number}` };
          return [
            issue(ca?.subject ?? '', above, goodCa, { ...keys, ...(random() < 0.5 && { notAfter: past }) }),
            first,
            ...rest,
            ...(hasRoot ? [root] : []),
          ];
        }
        case 'crossed': {
          const ca = cas[0];
          const pair = pool.find(({ privateKey }) => privateKey === ca?.key);
          if (!ca || !pair) return whole;
          const other = stranger();
          roots.push(other);
          const crossed = issue(ca.subject, other, goodCa, { keys: pair, keyName: ca.keyName });
          return random() < 0.5
            ? [...others, crossed, ...(hasRoot ? [root] : [])]
            : [...others.slice(0, -1), crossed, ...others.slice(-1)];
        }
      }
    }
  };
}
