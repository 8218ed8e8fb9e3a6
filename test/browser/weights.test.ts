import { afterEach, expect, test, vi } from "vitest";

/** Of a page's types, which Deno does not have: imported when it runs, by what is used of it here. */
interface Store {
  write(name: string, from: number): Promise<
    AsyncDisposable & { append(bytes: Uint8Array): Promise<void> }
  >;
}
const STORE = new URL("../../browser/app/storage/weights.ts", import.meta.url).pathname;

afterEach(() => vi.unstubAllGlobals());

/** A private file system of one file, whose disk has this many bytes left. */
function fakeFile(room: number) {
  let content = new Uint8Array(0);
  const access = {
    write: (bytes: Uint8Array, { at }: { readonly at: number }) => {
      const taken = bytes.subarray(0, Math.max(0, room - at));
      const longer = new Uint8Array(Math.max(content.length, at + taken.length));
      longer.set(content);
      longer.set(taken, at);
      content = longer;
      return taken.length;
    },
    truncate: (size: number) => content = content.slice(0, size),
    flush: () => {},
    close: () => {},
  };
  const file = { createSyncAccessHandle: () => Promise.resolve(access) };
  const folder = { getFileHandle: () => Promise.resolve(file) };
  const root = { getDirectoryHandle: () => Promise.resolve(folder) };
  vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve(root) } });
  return () => [...content];
}

test("a disk that takes a part of a piece keeps a true beginning of the file, without a hole", async () => {
  const content = fakeFile(5);
  const { WeightStore } = await import(STORE) as { WeightStore: { open(): Promise<Store> } };
  const store = await WeightStore.open();
  {
    await using keeping = await store.write("a", 0);
    await keeping.append(Uint8Array.of(1, 2, 3));
    await keeping.append(Uint8Array.of(4, 5, 6));
    await keeping.append(Uint8Array.of(7, 8));
  }
  expect(content()).toEqual([1, 2, 3, 4, 5]);
});
