/**
 * Does work whose signal fires when `parent` does, or with a `TimeoutError` after `seconds`. It is waited for even
 * then, because work that was cut short may still answer how far it came.
 *
 * A timer rather than AbortSignal.any() with AbortSignal.timeout(): in Node 20 such a signal can be collected as
 * garbage before it fires.
 */
export async function withDeadline<T>(
  seconds: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException(`No answer within ${seconds} s`, 'TimeoutError'));
  const timer = setTimeout(late, seconds * 1000);
  const onParent = () => controller.abort(parent.reason);
  parent.addEventListener('abort', onParent, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', onParent);
  }
}
