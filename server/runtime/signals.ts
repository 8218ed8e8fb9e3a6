/** Resolves at SIGTERM or Ctrl-C, so that what runs can finish; a second one ends at once. */
export function stopped(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      if (asked) Deno.exit(130);
      asked = true;
      resolve();
    });
  }
  return promise;
}
