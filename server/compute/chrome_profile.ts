import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "stepwise-chrome-";
const LOCK = "owner.lock";

/** A Chrome's own folder, removed when disposed. */
export interface ChromeProfile extends AsyncDisposable {
  readonly path: string;
  /** At once, for a process that ends. */
  remove(): void;
}

/**
 * Makes a profile folder, and first removes those whose process was killed. The lock in it is the
 * operating system's: it is free the moment its process is gone.
 */
export async function makeProfile(): Promise<ChromeProfile> {
  await sweep();
  const path = await Deno.makeTempDir({ prefix: PREFIX });
  const lock = await Deno.open(join(path, `${LOCK}.new`), { write: true, create: true });
  await lock.lock(true);
  // Renamed when it is locked, so that a sweeper never finds it free.
  await Deno.rename(join(path, `${LOCK}.new`), join(path, LOCK));
  return {
    path,
    remove: () => Deno.removeSync(path, { recursive: true }),
    async [Symbol.asyncDispose]() {
      lock.close();
      await removeFolder(path);
    },
  };
}

async function sweep(): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(tmpdir())) {
    if (!isDirectory || !name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    if (await isAbandoned(path)) await removeFolder(path);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    using lock = await Deno.open(join(path, LOCK), { read: true, write: true });
    return await lock.tryLock(true);
  } catch {
    return false; // Just being made, or not ours to open.
  }
}

/** What cannot be removed now, because a child of Chrome still writes there, a later sweep gets. */
async function removeFolder(path: string): Promise<void> {
  for (const waitMs of [0, 50, 200]) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
    }
  }
}
