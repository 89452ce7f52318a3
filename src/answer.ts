/**
 * The answer of a host method that waits, or a rejection: with the signal's reason, or with a `CannotTell` whose reason is a
 * common one or one of `Reason`. The reasons exist for the compiler alone.
 */
export type Answer<T, Reason extends string = never> = Promise<T> & { readonly reasons?: Reason };
