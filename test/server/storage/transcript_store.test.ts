import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { decodeOpening, imageLeaf, openingSpec, openStep } from "../../../core/transcript/mod.ts";
import {
  type DiskTranscriptOptions,
  DiskTranscriptStore,
  type Eviction,
} from "../../../server/storage/mod.ts";
import { sample } from "../../core/transcript/fixture.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";

const made = await sample();

interface Opened {
  readonly store: DiskTranscriptStore;
  readonly folder: string;
  readonly evicted: Eviction[];
  readonly clock: { now: number };
}

async function openStore(
  folder: string,
  options: Partial<DiskTranscriptOptions> = {},
): Promise<Opened> {
  const evicted: Eviction[] = [];
  const clock = { now: 1_000_000 };
  const store = await DiskTranscriptStore.open(folder, {
    maxBytes: 1_000_000,
    clock: () => clock.now,
    onEvict: (eviction) => evicted.push(eviction),
    ...options,
  });
  onTestFinished(() => store[Symbol.asyncDispose]());
  return { store, folder, evicted, clock };
}

async function keep(store: DiskTranscriptStore, id: string): Promise<void> {
  await using writer = await store.create(id);
  for (const leaf of made.leaves) writer.append(leaf);
  await writer.commit(made.receipt, made.hashes);
}

const code = (code: string) => expect.objectContaining({ name: "AppError", code });

test("a kept transcript gives receipt, leaves and openings", async () => {
  const { store } = await openStore(await temporaryFolder());
  await keep(store, "a-1");
  await using kept = await store.open("a-1");
  expect(kept.receipt).toEqual(made.receipt);
  expect(await kept.leaf(3)).toEqual(made.leaves[3]);
  expect(await kept.leaf(imageLeaf(5))).toEqual(made.image);
  const opening = await openStep(kept, kept.receipt, made.plan, 2);
  expect(decodeOpening(opening, openingSpec(made.receipt, made.plan, 2)).leaves.length).toBe(4);
  await expect(kept.leaf(12)).rejects.toEqual(code("transcript_not_found"));
});

test("a transcript is served only when it is whole", async () => {
  const { store, folder } = await openStore(await temporaryFolder());
  {
    await using writer = await store.create("half");
    writer.append(made.leaves[0]);
    await expect(store.open("half")).rejects.toEqual(code("transcript_not_found"));
    await expect(writer.commit(made.receipt, made.hashes)).rejects
      .toEqual(code("transcript_invalid"));
  }
  expect(filesIn(folder)).toEqual([".lock"]);
  expect(store.usage).toEqual({ transcripts: 0, bytes: 0 });
});

test("after a crash the whole ones are there and the half ones are gone", async () => {
  const folder = await temporaryFolder();
  const first = await openStore(folder);
  await keep(first.store, "whole");
  const writer = await first.store.create("half");
  writer.append(made.leaves[0]);
  await writer[Symbol.asyncDispose]();
  await Deno.writeFile(join(folder, "crashed.part"), made.leaves[0]);
  await first.store[Symbol.asyncDispose]();
  const { store } = await openStore(folder);
  await using kept = await store.open("whole");
  expect(await kept.leaf(0)).toEqual(made.leaves[0]);
  expect(filesIn(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  expect(store.usage.transcripts).toBe(1);
});

test("what is older than 15 minutes goes, and is reported", async () => {
  const { store, evicted, clock, folder } = await openStore(await temporaryFolder());
  await keep(store, "old");
  const { bytes } = store.usage;
  clock.now += 15 * 60_000;
  await (await store.open("old"))[Symbol.asyncDispose]();
  clock.now += 1;
  await expect(store.open("old")).rejects.toEqual(code("transcript_not_found"));
  expect(evicted).toEqual([{ id: "old", bytes, ageMs: 15 * 60_000 + 1, why: "age" }]);
  expect(filesIn(folder)).toEqual([".lock"]);
});

test("the oldest goes when a new one needs its place, also after a restart", async () => {
  const folder = await temporaryFolder();
  const first = await openStore(folder);
  for (const id of ["c", "a", "b"]) {
    await keep(first.store, id);
    first.clock.now += 1000;
  }
  const size = first.store.usage.bytes / 3;
  await first.store[Symbol.asyncDispose]();
  const { store, evicted } = await openStore(folder, { maxBytes: 3 * size });
  await keep(store, "d");
  expect(evicted.map(({ id, why }) => [id, why])).toEqual([["c", "space"]]);
  expect(store.usage).toEqual({ transcripts: 3, bytes: 3 * size });
});

test("a transcript larger than the limit is refused and leaves nothing", async () => {
  const { store, folder } = await openStore(await temporaryFolder(), { maxBytes: 500 });
  await expect(keep(store, "large")).rejects.toEqual(code("storage_failed"));
  expect(filesIn(folder)).toEqual([".lock"]);
  expect(store.usage.bytes).toBe(0);
});

test("a leaf or index that the disk has damaged is not served", async () => {
  const { store, folder } = await openStore(await temporaryFolder());
  await keep(store, "a");
  const path = join(folder, filesIn(folder)[1]);
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(path, bytes.with(130, bytes[130] ^ 1));
  {
    await using kept = await store.open("a");
    expect(await kept.leaf(0)).toEqual(made.leaves[0]);
    await expect(kept.leaf(1)).rejects.toEqual(code("transcript_invalid"));
  }
  for (const at of [bytes.length - 100, bytes.length - 30, bytes.length - 44, bytes.length - 1]) {
    await Deno.writeFile(path, bytes.with(at, bytes[at] ^ 1));
    await expect(store.open("a")).rejects.toEqual(code("transcript_invalid"));
  }
  await Deno.writeFile(path, bytes.slice(0, 40));
  await expect(store.open("a")).rejects.toEqual(code("transcript_invalid"));
});

test.each(["", "../a", "a/b", "a.b", ".part", "-a", "a\0", "a".repeat(65)])(
  "%j is no name of a transcript",
  async (id) => {
    const { store } = await openStore(await temporaryFolder());
    for (const call of [store.create(id), store.open(id), store.remove(id)]) {
      await expect(call).rejects.toEqual(code("transcript_invalid"));
    }
  },
);

test("a name is taken until it is removed", async () => {
  const { store } = await openStore(await temporaryFolder());
  await using coming = await store.create("b");
  await keep(store, "a");
  await expect(store.create("a")).rejects.toEqual(code("transcript_invalid"));
  await expect(store.create("b")).rejects.toEqual(code("transcript_invalid"));
  await store.remove("a");
  await store.remove("a");
  await keep(store, "a");
  await coming[Symbol.asyncDispose]();
});

test("a folder has one store at a time", async () => {
  const { folder } = await openStore(await temporaryFolder());
  await expect(openStore(folder)).rejects.toEqual(code("storage_failed"));
});
