import type { z } from 'zod';
import type { Host, Need } from './host.ts';

/** What a finding or a check can be, from the mildest to the worst. */
export const statuses = ['skip', 'pass', 'unknown', 'warn', 'fail'] as const;
/** One of {@link statuses}. */
export type Status = (typeof statuses)[number];

/** Reasons any check may give, beside its own. */
export const commonReasons = [
  'timed_out',
  'no_access',
  'not_found',
  'unreadable',
  'internal_error',
  'not_applicable',
  'disabled',
  'excepted',
] as const;
/** One of {@link commonReasons}. */
export type CommonReason = (typeof commonReasons)[number];

/** One sample of a gauge. A value that is not known is left out, never NaN. */
export interface Reading {
  /** A key of the check's `gauges`. */
  readonly gauge: string;
  /** Values for the gauge's labels, but for `target`, which the finding gives. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Something that is wrong with a subject. A remedy goes with it. */
export interface Wrong<Reason extends string = string> {
  readonly status: 'warn' | 'fail';
  readonly reason: Reason | CommonReason;
  /** One sentence with the number and its unit. */
  readonly message: string;
  /** The next thing to do, with the exact command where there is one. */
  readonly remedy: string;
}

/** What a check concludes about one subject: that it is right, or the worst that is wrong with it. */
export type Verdict<Reason extends string = string> =
  | { readonly status: 'pass'; readonly message: string; readonly readings?: readonly Reading[] }
  | (Wrong<Reason> & {
      /** What else is wrong, worst first: told instead where the policy excepts the worst. */
      readonly also?: readonly Wrong<Reason>[];
      readonly readings?: readonly Reading[];
    });

/**
 * No verdict: the look-up gave no answer. The runner tells it as `skip` when access was not given or nothing
 * applies, and as `unknown` otherwise. `reason` is a common one or from the check's own list.
 */
export class CannotTell extends Error {
  override readonly name = 'CannotTell';
  readonly reason: string;
  /** What would make it possible, for instance the createOptions line that grants access. */
  readonly remedy: string | undefined;

  constructor(reason: string, message: string, options: { cause?: unknown; remedy?: string } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.remedy = options.remedy;
  }
}

/** Something to examine, with whatever listing it already brought. */
export interface Subject {
  /** What people call it: a path, an address, a module. Unique within its check. */
  readonly target: string;
}

/** A gauge's help text and the labels its readings carry. Named without the `hardening_` prefix. */
export interface Gauge {
  readonly help: string;
  readonly labels: readonly string[];
}

/** One thing worth watching: what to look at (`subjects`), and whether it is right (`examine`). */
export interface Check<Params = unknown, Item extends Subject = Subject, Reason extends string = string> {
  /** camelCase and permanent: twin key, metric label, CLI argument. */
  readonly id: string;
  /** The sentence that is true when the check passes. */
  readonly title: string;
  /** This check's slice of the policy, defaults included. */
  readonly params: z.ZodType<Params>;
  /** Every reason of this check's own, so that its counter exists at zero before anything goes wrong. */
  readonly reasons: readonly Reason[];
  readonly gauges: Readonly<Record<string, Gauge>>;
  needs(params: Params): readonly Need[];
  /** The things to examine. None means the check does not apply here. */
  subjects(params: Params, host: Host, signal: AbortSignal): readonly Item[] | Promise<readonly Item[]>;
  /** Judges one subject. Returns what it knows, throws (best a {@link CannotTell}) what it cannot tell. */
  examine(subject: Item, params: Params, host: Host, signal: AbortSignal): Promise<Verdict<Reason>>;
}

/** Gives a check its types from `params`, `reasons` and `subjects`; does nothing at run time. */
export const defineCheck = <Params, Item extends Subject, const Reason extends string>(
  check: Check<Params, Item, Reason>,
): Check<Params, Item, Reason> => check;
