import { stat } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { AppError } from "../../../core/error.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeOpening, imageLeaf, openingSpec } from "../../../core/transcript/mod.ts";
import { openStep } from "../../../core/prover/mod.ts";
import {
  type DiskTranscriptOptions,
  DiskTranscriptStore,
  type Eviction,
} from "../../../server/transcripts/mod.ts";
import { sample } from "../../core/transcript/fixture.ts";
import { scriptProcess } from "../../fixtures/cli.ts";
import { until } from "../../fixtures/processes.ts";
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

/** Leaves with an index that its digest vouches for, whatever it says. */
function withTrailer(leaves: Uint8Array, index: string): Uint8Array {
  const json = new TextEncoder().encode(index);
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(json.length), true);
  return Uint8Array.of(
    ...[...leaves, ...json, ...new Uint8Array(length.buffer)],
    ...[...sha256(json), ...new TextEncoder().encode("stepwise")],
  );
}

async function keep(store: DiskTranscriptStore, id: string): Promise<void> {
  await using writer = await store.create(id);
  for (const leaf of made.leaves) writer.append(leaf);
  await writer.commit(made.receipt, made.hashes);
}

test("transcripts are for their owner alone, whoever may look into the folder above", async () => {
  const folder = join(await temporaryFolder(), "transcripts");
  const { store } = await openStore(folder);
  await keep(store, "a");
  const [file] = (await filesIn(folder)).filter((name) => name.endsWith(".transcript"));
  const modes = await Promise.all([folder, join(folder, file)].map((path) => stat(path)));
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(["700", "600"]);
});

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

test("after a process was killed while writing, whole transcripts are there and half ones are not", async () => {
  const folder = await temporaryFolder();
  const main = new URL("../../fixtures/write_transcripts_main.ts", import.meta.url).pathname;
  const child = scriptProcess(main, [folder], { stdout: "piped", stderr: "inherit" }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGKILL");
  expect(await child.status).toMatchObject({ signal: "SIGKILL" });
  await reader.cancel();
  const [half] = filesIn(folder).filter((name) => name.endsWith(".part"));
  expect((await Deno.stat(join(folder, half))).size).toBeGreaterThan(0);

  const { store } = await openStore(folder);
  await using kept = await store.open("whole");
  expect(await kept.leaf(0)).toEqual(made.leaves[0]);
  await expect(store.open("half")).rejects.toEqual(code("transcript_not_found"));
  expect(filesIn(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  expect(store.usage.transcripts).toBe(1);
});

test("what is older than 15 minutes is removed, and reported", async () => {
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

test("what is too old is removed in an idle store, too", async () => {
  const { store, folder, clock, evicted } = await openStore(await temporaryFolder(), {
    maxAgeMs: 1000,
  });
  await keep(store, "old");
  expect(filesIn(folder)).toHaveLength(2);
  clock.now += 1001;
  await until(() => filesIn(folder).length === 1, "the file is gone");
  expect(evicted.map(({ id, why }) => [id, why])).toEqual([["old", "age"]]);
});

test("one that is removed between being found and being opened is not found", async () => {
  const { store, folder } = await openStore(await temporaryFolder());
  await keep(store, "a");
  await Deno.remove(join(folder, filesIn(folder)[1]));
  await expect(store.open("a")).rejects.toEqual(code("transcript_not_found"));
});

test("a folder that cannot be read is left to others", async () => {
  const folder = await temporaryFolder();
  // Its size is unknown: it leads nowhere.
  const broken = join(folder, "1-a.transcript");
  await Deno.symlink("nowhere", broken);
  await expect(openStore(folder)).rejects.toEqual(code("storage_failed"));
  await Deno.remove(broken);
  expect((await openStore(folder)).store.usage.transcripts).toBe(0);
});

test("the oldest is removed when a new one needs its place, also after a restart", async () => {
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

test("what can never fit takes nobody's place", async () => {
  const folder = await temporaryFolder();
  const { store, evicted } = await openStore(folder);
  await keep(store, "a");
  const size = store.usage.bytes;
  await store[Symbol.asyncDispose]();
  const small = await openStore(folder, { maxBytes: 2 * size });
  await expect(small.store.create("large", 2 * size + 1)).rejects.toEqual(code("storage_failed"));
  expect(small.store.usage).toEqual({ transcripts: 1, bytes: size });
  // What is announced has its place before it comes, and loses it when it does not.
  {
    await using _writer = await small.store.create("coming", 2 * size);
    expect(small.store.usage).toEqual({ transcripts: 0, bytes: 2 * size });
    await expect(small.store.create("other", 1)).rejects.toEqual(code("storage_failed"));
  }
  expect(small.store.usage.bytes).toBe(0);
  await keep(small.store, "large");
  expect(evicted).toEqual([]);
  expect(small.evicted.map(({ id, why }) => [id, why])).toEqual([["a", "space"]]);
});

test("whatever a file ends with, opening it is a transcript or an AppError", async () => {
  const { store, folder } = await openStore(await temporaryFolder());
  await keep(store, "a");
  const path = join(folder, filesIn(folder)[1]);
  const whole = await Deno.readFile(path);
  const leaves = [...made.leaves].reduce((sum, { length }) => sum + length, 0);
  const index = JSON.parse(new TextDecoder().decode(whole.slice(leaves, -48)));
  const field = fc.constantFrom("version", "receipt", "leaves", "more");
  const lies = fc.tuple(field, fc.jsonValue()).map(([name, value]) =>
    withTrailer(whole.slice(0, leaves), JSON.stringify({ ...index, [name]: value }))
  );
  const leafLies = fc.tuple(fc.nat(11), fc.oneof(fc.nat(1e12), fc.jsonValue())).map(([k, length]) =>
    withTrailer(
      whole.slice(0, leaves),
      JSON.stringify({ ...index, leaves: index.leaves.with(k, [length, index.leaves[k][1]]) }),
    )
  );
  const text = fc.string().map((json) => withTrailer(new Uint8Array(), json));
  const noise = fc.uint8Array({ maxLength: 200 });
  await fc.assert(fc.asyncProperty(fc.oneof(lies, leafLies, text, noise), async (bytes) => {
    await Deno.writeFile(path, bytes);
    const opened = await store.open("a").catch((error) => error);
    if (opened instanceof Error) {
      expect(["transcript_invalid", "receipt_invalid"]).toContain((opened as AppError).code);
      return;
    }
    // What is opened is what was kept.
    await using kept = opened;
    expect(kept.receipt).toEqual(made.receipt);
    expect(kept.hashes).toEqual(made.hashes);
  }));
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
