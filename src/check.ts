import type * as z from 'zod';
import type { Host, Need, ReasonsOf } from './host.ts';

/** The statuses of a finding or a check, from the mildest to the worst. */
export const statuses = ['skip', 'pass', 'unknown', 'warn', 'fail'] as const;
/** One of {@link statuses}. */
export type Status = (typeof statuses)[number];

/** Reasons that every check can report, in addition to its own. */
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

/** One sample of a gauge. An unknown value is left out, never NaN. */
export interface Reading<GaugeName extends string = string> {
  /** A key of the check's `gauges`. */
  readonly gauge: GaugeName;
  /** Values of the gauge's labels. The finding supplies `target`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Something that is wrong with a subject, and what to do about it. */
export interface Wrong<Reason extends string = string> {
  readonly status: 'warn' | 'fail';
  readonly reason: Reason | CommonReason;
  /** One sentence with the number and its unit. */
  readonly message: string;
  /** The next thing to do, with the exact command where there is one. */
  readonly remedy: string;
  /** The public benchmarks that ask for it, by number alone: `CIS Docker 1.6 5.4`. */
  readonly controls?: readonly string[];
}

/** What a check concludes about one subject: that it is right, or the worst that is wrong with it. */
export type Verdict<Reason extends string = string, GaugeName extends string = never> = {
  readonly readings?: readonly Reading<GaugeName>[];
} & (
  | { readonly status: 'pass'; readonly message: string }
  | (Wrong<Reason> & {
      /** What else is wrong, worst first. Reported instead where the policy excepts the worst. */
      readonly also?: readonly Wrong<Reason>[];
    })
);

/**
 * No verdict: the lookup gave no answer. The runner reports `skip` where access was not given or nothing applies, and
 * `unknown` otherwise. `reason` is a common one or one that the check declares.
 */
export class CannotTell extends Error {
  override readonly name = 'CannotTell';
  readonly reason: string;
  /** What would make the lookup possible, such as the createOptions line that grants access. */
  readonly remedy: string | undefined;

  constructor(reason: string, message: string, options: { cause?: unknown; remedy?: string } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.remedy = options.remedy;
  }
}

/** Something to examine. A check may add whatever it learned while listing it. */
export interface Subject {
  /** What people call it: a path, an address, a module. Unique within its check. */
  readonly target: string;
}

/** A gauge's help text and the labels of its readings. */
export interface Gauge {
  readonly help: string;
  readonly labels: readonly string[];
}

/** A total since the agent started. */
export interface Counter<Uses extends keyof Host = keyof Host> {
  readonly help: string;
  /** Read at every scrape. */
  total(host: HostFor<Uses>): number;
}

/** The part of the host that a check uses; every check has the time and the device's names. */
export type HostFor<Uses extends keyof Host> = Pick<Host, Uses | 'now' | 'names'>;

/** One thing worth watching: what there is to examine (`subjects`), and whether it is right (`examine`). */
export interface Check<
  Params extends z.ZodObject = z.ZodObject,
  Item extends Subject = Subject,
  Uses extends keyof Host = keyof Host,
  Reason extends string = string,
  GaugeName extends string = string,
> {
  /** camelCase and permanent: twin key, metric label, CLI argument. */
  readonly id: string;
  /** The sentence that is true when the check passes. */
  readonly title: string;
  /** This check's part of the policy, defaults included. */
  readonly params: Params;
  /** What the check asks the host. Nothing else is handed to it. */
  readonly uses: readonly Uses[];
  /** Every reason of the check's own and of the host methods it uses. */
  readonly reasons: readonly Reason[];
  /** By name, without the `hardening_` prefix. */
  readonly gauges?: Readonly<Record<GaugeName, Gauge>>;
  /** By name, without the `hardening_` prefix. */
  readonly counters?: Readonly<Record<string, Counter<Uses>>>;
  needs(params: z.output<Params>): readonly Need[];
  /** The things to examine. None means the check does not apply here. */
  subjects(
    params: z.output<Params>,
    host: HostFor<Uses>,
    signal: AbortSignal,
  ): readonly Item[] | Promise<readonly Item[]>;
  /** Judges one subject. Returns what it knows, throws a {@link CannotTell} for what it cannot. */
  examine(
    subject: Item,
    params: z.output<Params>,
    host: HostFor<Uses>,
    signal: AbortSignal,
  ): Promise<Verdict<NoInfer<Reason>, NoInfer<GaugeName>>>;
  /** Watches for events that call for a run ahead of the schedule, until the signal fires. */
  trigger?(host: HostFor<Uses>, runNow: (why: string) => void, signal: AbortSignal): void;
}

/** Checks that use the network run at most this often on a schedule, so that no policy turns them into a flood. */
export const networkGapSeconds = 30;

/** Whether a check contacts other hosts with these parameters. */
export const usesNetwork = ({ needs }: Check, params: z.output<Check['params']>): boolean =>
  needs(params).some(({ kind }) => kind === 'network' || kind === 'http');

/** Compiles only where nothing is missing: the property's name says what is. */
type NoneMissing<Missing extends string> = [Missing] extends [never]
  ? unknown
  : { readonly 'reasons of host methods that must be declared': Missing };

/**
 * Infers a check's types; does nothing at run time. A gauge or reason that was not declared does not compile, nor does
 * a check that leaves out a reason of a host method it uses.
 */
export const defineCheck = <
  Params extends z.ZodObject,
  Item extends Subject,
  const Uses extends keyof Host,
  const Reason extends string,
  const GaugeName extends string = never,
>(
  check: Check<Params, Item, Uses, Reason, GaugeName> & {
    readonly reasons: NoneMissing<Exclude<ReasonsOf<Uses>, Reason | CommonReason>>;
  },
): Check<Params, Item, Uses, Reason, GaugeName> => check;
