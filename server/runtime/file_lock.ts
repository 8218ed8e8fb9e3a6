/** An open file that can be locked. Its lock is free again when it is closed, or its process ends. */
export interface LockableFile extends Disposable {
  /** Takes the lock, unless another process or another opening of the file has it. */
  tryLock(): Promise<boolean>;
  /** Replaces its content by a text. */
  overwrite(text: string): Promise<void>;
}

/**
 * Opens a file, made if it is not there. Its lock is the operating system's (`flock`), which
 * neither web nor `node:` interfaces offer.
 * @throws the runtime's error, with the system's `code`.
 */
export async function openLockable(path: string, { create = true } = {}): Promise<LockableFile> {
  const file = await Deno.open(path, { read: true, write: true, create });
  return {
    tryLock: () => file.tryLock(true),
    overwrite: async (text) => {
      await file.truncate(0);
      await file.write(new TextEncoder().encode(text));
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
