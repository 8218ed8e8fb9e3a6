import { rmSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLockable } from "../runtime/mod.ts";
import { isMissing } from "../storage/mod.ts";

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
 * operating system's: it is free the moment its process ends.
 */
export async function makeProfile(): Promise<ChromeProfile> {
  await sweep();
  const path = await mkdtemp(join(tmpdir(), PREFIX));
  const lock = await openLockable(join(path, `${LOCK}.new`));
  await lock.tryLock();
  // Renamed when it is locked, so that a sweeper never finds it free.
  await rename(join(path, `${LOCK}.new`), join(path, LOCK));
  return {
    path,
    remove: () => rmSync(path, { recursive: true }),
    async [Symbol.asyncDispose]() {
      lock[Symbol.dispose]();
      await removeFolder(path);
    },
  };
}

async function sweep(): Promise<void> {
  for (const entry of await readdir(tmpdir(), { withFileTypes: true })) {
    const { name } = entry;
    if (!entry.isDirectory() || !name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    if (await isAbandoned(path)) await removeFolder(path);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    using lock = await openLockable(join(path, LOCK), { create: false });
    return await lock.tryLock();
  } catch {
    return false; // Just being made, or not ours to open.
  }
}

/** What cannot be removed now, because a child of Chrome still writes there, a later sweep gets. */
async function removeFolder(path: string): Promise<void> {
  for (const waitMs of [0, 50, 200]) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    try {
      return await rm(path, { recursive: true });
    } catch (error) {
      if (isMissing(error)) return;
    }
  }
}
