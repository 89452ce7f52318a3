import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Choice, Fault, KeyIds, Order } from './certificate-choices.ts';
import * as choices from './certificate-choices.ts';
import {
  alternativeNames,
  certificate,
  daysFromNow,
  dns,
  type ExtensionSpec,
  keyIdentifiers,
} from './certificate-der.ts';

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** One certificate, PEM, and its keys. */
interface Made {
  readonly pem: string;
  readonly keys: KeyPair;
  readonly subject: string;
  readonly issuer: string;
  /** The text of its key identifier. */
  readonly keyId: string;
  readonly serial: string;
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

interface Generator {
  readonly random: () => number;
  readonly nextKeys: () => KeyPair;
  readonly nextSerial: () => string;
}

/** Returns a function that generates chains, good and faulty; their names contain the number, the leaf is for `n<number>.test`. */
export function createChainGenerator(seed: number): (number: number) => GeneratedChain {
  const pool = Array.from({ length: 24 }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  let used = 0;
  let serials = 0x1000;
  const generator: Generator = {
    random: randomFrom(seed),
    nextKeys() {
      used += 1;
      const pair = pool[used % pool.length];
      if (!pair) throw new Error('The pool of keys is empty');
      return pair;
    },
    nextSerial() {
      serials += 1;
      return `01${serials.toString(16).padStart(8, '0')}`;
    },
  };
  return (number) => generate(number, generator);
}

function generate(number: number, generator: Generator): GeneratedChain {
  const how: string[] = [];
  const pick = <T>(options: readonly Choice<T>[]): T => {
    const weighted = options.flatMap((choice) => Array.from({ length: choice.weight ?? 1 }, () => choice));
    const chosen = weighted[Math.floor(generator.random() * weighted.length)];
    if (!chosen) throw new Error('There is nothing to choose from');
    if (chosen.how) how.push(chosen.how);
    return chosen.value;
  };
  const depth = pick(choices.depths);
  const fault = pick(choices.faults);
  const order = pick(choices.orders);
  const identifiers = pick(choices.keyIds);
  const issue = createIssue(identifiers, generator);

  // Only a CA that can be no leaf shows that another is missing between the two.
  const authority = () => (fault === 'missing' ? choices.goodCa : pick(choices.authorities));
  // A path to another root leaves this one out of account.
  const rootExtensions = order === 'crossed' ? choices.goodCa : authority();
  const root = issue(`Root ${number}`, undefined, rootExtensions);
  const cas = issueAuthorities({ number, depth, fault, root }, issue, authority);
  const issuer = cas.at(-1) ?? root;
  const names = alternativeNames([dns(`n${number}.test`), ...pick(choices.alternatives)]);
  const usages = fault === 'missing' ? choices.leaves[0]?.value : pick(choices.leaves);
  const leaf = issue(
    fault === 'same name' ? root.subject : `leaf ${number}`,
    issuer,
    usages && [...usages, names],
    {
      keyId: `leaf ${number}`,
      hasExpired: fault === 'expired',
      hasWrongSignature: fault === 'bad signature' && depth === 0,
      ...(fault === 'other case' && { issuerName: issuer.subject.toUpperCase().replace(' ', '  ') }),
    },
  );

  // What is wrong with the root or the link to it shows only in a file that holds it.
  const needsRoot =
    rootExtensions !== choices.goodCa ||
    identifiers.startsWith('wrong') ||
    fault === 'missing' ||
    (fault === 'bad signature' && depth < 2);
  const hasRoot = needsRoot || generator.random() < 0.5;
  const stranger = issue(`Stranger ${number}`, undefined, choices.goodCa);
  const upwards = cas.toReversed();
  const parts = {
    leaf,
    upwards: fault === 'missing' ? upwards.slice(1) : upwards,
    root,
    cas,
    stranger,
    hasRoot,
  };
  const isLeafCa = how.some((what) => what.startsWith('leaf that is a CA'));
  return {
    how: `${number}: ${how.join(', ')}`,
    leaf,
    others: arrange(order, parts, issue, generator.random),
    trusted: fault === 'untrusted' ? stranger : fault === 'intermediate trusted' ? issuer : root,
    roots: order === 'crossed' ? [root, stranger] : [root],
    decided: decidedFor({ order, fault, hasRoot, isLeafCa }),
    isForTls: !isLeafCa && !how.some((what) => /^leaf for (any use|code)/.test(what)),
  };
}

interface Details {
  readonly keyId?: string;
  readonly keys?: KeyPair;
  readonly hasExpired?: boolean;
  readonly hasWrongSignature?: boolean;
  readonly issuerName?: string;
}

type Issue = (
  subject: string,
  /** None for a root. */
  issuer: Made | undefined,
  /** None for a certificate of version 1. */
  extensions: readonly ExtensionSpec[] | undefined,
  details?: Details,
) => Made;

function createIssue(identifiers: KeyIds, { nextKeys, nextSerial }: Generator): Issue {
  return (subject, issuer, extensions, details = {}) => {
    const { keyId = subject, keys = nextKeys(), hasExpired = false, hasWrongSignature = false } = details;
    const serial = nextSerial();
    const ids = issuer
      ? identify(identifiers, keyId, issuer)
      : identifiers === 'none'
        ? []
        : keyIdentifiers(keyId);
    const pem = certificate({
      subject,
      issuer: details.issuerName ?? issuer?.subject ?? subject,
      publicKey: keys.publicKey,
      signingKey: (issuer?.keys ?? keys).privateKey,
      serial,
      notBefore: daysFromNow(-400),
      notAfter: daysFromNow(hasExpired ? -10 : 90),
      extensions: extensions && [...extensions, ...ids],
      hasWrongSignature,
    });
    return { pem, keys, subject, issuer: issuer?.subject ?? subject, keyId, serial };
  };
}

function identify(identifiers: KeyIds, own: string, issuer: Made): readonly ExtensionSpec[] {
  const { keyId, serial, issuer: issuersIssuer } = issuer;
  switch (identifiers) {
    case 'none':
      return [];
    case 'key':
      return keyIdentifiers(own, { keyId });
    case 'wrong':
      return keyIdentifiers(own, { keyId: 'wrong' });
    case 'serial':
      return keyIdentifiers(own, { keyId, issuer: issuersIssuer, serial });
    case 'wrong serial':
      return keyIdentifiers(own, { issuer: issuersIssuer, serial: '0777' });
  }
}

interface Plan {
  readonly number: number;
  readonly depth: number;
  readonly fault: Fault;
  readonly root: Made;
}

/** The CAs between the root and the leaf, downwards. */
function issueAuthorities(
  { number, depth, fault, root }: Plan,
  issue: Issue,
  authority: () => readonly ExtensionSpec[] | undefined,
): readonly Made[] {
  const cas: Made[] = [];
  for (let i = 0; i < depth; i++) {
    const subject = fault === 'self-issued' && i === 0 ? root.subject : `CA ${number} ${i}`;
    cas.push(
      issue(subject, cas.at(-1) ?? root, authority(), {
        keyId: `CA ${number} ${i}`,
        hasExpired: fault === 'expired CA' && i === 0,
        hasWrongSignature: fault === 'bad signature' && i === depth - 1,
      }),
    );
  }
  return cas;
}

interface Parts {
  readonly leaf: Made;
  readonly upwards: readonly Made[];
  readonly root: Made;
  readonly cas: readonly Made[];
  readonly stranger: Made;
  readonly hasRoot: boolean;
}

/** What follows the leaf. */
function arrange(
  order: Order,
  { leaf, upwards, root, cas, stranger, hasRoot }: Parts,
  issue: Issue,
  random: () => number,
): readonly Made[] {
  const end = hasRoot ? [root] : [];
  const whole = [...upwards, ...end];
  const [first] = upwards;
  const lowest = cas.at(-1);
  const highest = cas[0];
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
      return [...whole, stranger];
    case 'stranger between':
      return [stranger, ...whole];
    case 'renewed':
    case 'rekeyed': {
      if (!first || !lowest) return whole;
      const { keys, keyId } = lowest;
      const key = order === 'renewed' ? { keys, keyId } : { keyId: `other ${keyId}` };
      const hasExpired = random() < 0.5;
      return [issue(lowest.subject, cas.at(-2) ?? root, choices.goodCa, { ...key, hasExpired }), ...whole];
    }
    case 'crossed': {
      if (!highest) return whole;
      const { subject, keys, keyId } = highest;
      const crossed = issue(subject, stranger, choices.goodCa, { keys, keyId });
      if (random() < 0.5) return [...upwards, crossed, ...end];
      return [...upwards.slice(0, -1), crossed, ...upwards.slice(-1), ...end];
    }
  }
}

interface Circumstances {
  readonly order: Order;
  readonly fault: Fault;
  readonly hasRoot: boolean;
  readonly isLeafCa: boolean;
}

function decidedFor({ order, fault, hasRoot, isLeafCa }: Circumstances): readonly string[] {
  // Another CA stands where the root would, or one with its name.
  const hasOtherForRoot =
    (!hasRoot && (order.startsWith('stranger') || (isLeafCa && fault === 'same name'))) ||
    (order === 'crossed' && fault === 'missing');
  // A CA at the end of a path is there to issue, so it counts.
  return ['wrong_order', ...(isLeafCa ? ['path_too_long'] : []), ...(hasOtherForRoot ? ['broken_link'] : [])];
}

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
