const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal is aborted. Thousands may wait for one signal: an event target looks through
 * all of its listeners for each new one.
 * @returns what takes it back.
 */
export function onAbort(signal: AbortSignal, call: () => void): () => void {
  const known = listeners.get(signal) ?? listen(signal);
  known.add(call);
  return () => known.delete(call);
}

function listen(signal: AbortSignal): Set<() => void> {
  const calls = new Set<() => void>();
  listeners.set(signal, calls);
  signal.addEventListener("abort", () => {
    for (const call of [...calls]) call();
    calls.clear();
  });
  return calls;
}
