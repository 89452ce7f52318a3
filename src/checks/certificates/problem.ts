import type { Certificate } from '../../host/certificates/types.ts';

/** Something wrong with certificates that belong together. `clause` is the message, or part of it. */
export interface Problem<Reason extends string = ChainReason> {
  readonly status: 'warn' | 'fail';
  readonly reason: Reason;
  readonly clause: string;
}

/** What can be wrong with a chain in a file or from a server. */
export type ChainReason =
  | 'wrong_order'
  | 'broken_link'
  | 'not_a_ca'
  | 'path_too_long'
  | 'key_usage'
  | 'name_constraints'
  | 'critical_extension'
  | 'weak_key'
  | 'weak_signature'
  | 'quickstart_ca';

export const failure = (reason: ChainReason, clause: string): Problem => ({ status: 'fail', reason, clause });

/** Each problem once, those that fail first. One CA may be part of many paths. */
export function worstFirst<Reason extends string>(problems: readonly Problem<Reason>[]): Problem<Reason>[] {
  const distinct = new Map(problems.map((problem) => [`${problem.reason} ${problem.clause}`, problem]));
  return [...distinct.values()].sort((a, b) => Number(b.status === 'fail') - Number(a.status === 'fail'));
}

/** The certificate's name for messages, bounded: an issuer's name can contain anything. */
export const nameOf = ({ subject }: Certificate): string => shortened(subject);
export const shortened = (name: string): string => (name.length > 120 ? `${name.slice(0, 117)}...` : name);
