import { CannotTell } from '../../check.ts';
import type { Certificate, GeneralName, NameConstraints } from '../../host/certificates/types.ts';
import { failure, nameOf, type Problem } from './problem.ts';

/** Of one certificate's names with one CA's constraints. Real CAs need some thousands. */
const maxComparisons = 131_072;

/**
 * The names of a path's first certificate that the CAs above it do not allow (RFC 5280, section 4.2.1.10).
 *
 * @throws CannotTell where there are too many names and constraints to compare.
 */
export function constraintProblems([first, ...issuers]: readonly Certificate[]): readonly Problem[] {
  const names = first?.constrainedNames ?? [];
  // A CA that issued itself, such as one with a new key, is exempt.
  if (!first || (first.isCa && first.subject === first.issuer)) return [];
  return issuers.flatMap((issuer) => {
    const { nameConstraints } = issuer;
    if (!nameConstraints) return [];
    const { permitted, excluded } = nameConstraints;
    if (names.length * (permitted.length + excluded.length) > maxComparisons) {
      const what = `${names.length} names with ${permitted.length + excluded.length} name constraints`;
      throw new CannotTell('unreadable', `${nameOf(first)} has too many names: ${what} are not compared`);
    }
    const name = names.find((each) => !isAllowed(each, nameConstraints));
    if (!name) return [];
    const clause = `${nameOf(first)} is for ${shown(name)}, which the name constraints of ${nameOf(issuer)} do not allow`;
    return [failure('name_constraints', clause)];
  });
}

function isAllowed(name: GeneralName, { permitted, excluded }: NameConstraints): boolean {
  const sameKind = ({ kind, value }: GeneralName) =>
    kind === name.kind && (kind !== 'other' || value === name.value);
  const allowing = permitted.filter(sameKind);
  const forbidding = excluded.filter(sameKind);
  // TLS libraries reject what they cannot compare.
  if (name.kind === 'other') return allowing.length + forbidding.length === 0;
  const isBelow = (base: GeneralName) => matchers[base.kind](name.value, base.value);
  return (allowing.length === 0 || allowing.some(isBelow)) && !forbidding.some(isBelow);
}

const matchers: Readonly<Record<GeneralName['kind'], (name: string, base: string) => boolean>> = {
  dns: (name, base) => isBelowDomain(name.toLowerCase(), base.toLowerCase()),
  email: isBelowMailbox,
  uri: (name, base) => isHostBelow(hostOf(name), base.toLowerCase()),
  ip: isInSubnet,
  directory: (name, base) => name.startsWith(base),
  other: () => false,
};

function isBelowDomain(name: string, base: string): boolean {
  if (!name.endsWith(base)) return false;
  const before = name.charAt(name.length - base.length - 1);
  return base === '' || name.length === base.length || base.startsWith('.') || before === '.';
}

/** With a leading dot, hosts below a domain; otherwise one host. */
const isHostBelow = (host: string, base: string): boolean =>
  base.startsWith('.') ? host.length > base.length && host.endsWith(base) : host === base;

/** A constraint is a mailbox, a host, or with a leading dot the hosts below a domain. */
function isBelowMailbox(name: string, base: string): boolean {
  const at = name.lastIndexOf('@');
  const host = name.slice(at + 1).toLowerCase();
  const baseAt = base.lastIndexOf('@');
  if (baseAt < 0) return isHostBelow(host, base.toLowerCase());
  const local = base.slice(0, baseAt);
  const sameLocal = local === '' || local === name.slice(0, Math.max(0, at));
  return sameLocal && host === base.slice(baseAt + 1).toLowerCase();
}

const hostOf = (uri: string): string => /^[^:/]+:\/\/([^:/]*)/.exec(uri)?.[1]?.toLowerCase() ?? '';

/** An address, and an address with its mask, hexadecimal. */
function isInSubnet(address: string, subnet: string): boolean {
  if (subnet.length !== 2 * address.length) return false;
  const [value, base, mask] = [address, subnet.slice(0, address.length), subnet.slice(address.length)].map(
    (hex) => BigInt(`0x0${hex}`),
  );
  return value !== undefined && base !== undefined && mask !== undefined && ((value ^ base) & mask) === 0n;
}

function shown({ kind, value }: GeneralName): string {
  const text = kind === 'directory' ? value.trimEnd().replaceAll('\n', ', ') : value;
  return `${kind} ${text.slice(0, 80)}`;
}
