import { transcriptFile } from "../../../core/prover/mod.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AppError } from "../../../core/error.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../core/safetensors/mod.ts";
import { leafNameAt } from "../../../core/transcript/mod.ts";
import { readTranscript } from "../../../server/transcripts/mod.ts";
import { sample } from "../../core/transcript/fixture.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const made = await sample();
const { request, steps, latent } = made.receipt;
const leaves = made.leaves.slice(0, -1).map((bytes, position) => {
  const [kind, index] = leafNameAt(position).split(".");
  return { kind: kind as "x" | "d", index: Number(index), bits: new Uint16Array(bytes.buffer) };
});
const run = {
  request: decodeRequest(request, { width: 0, height: 0, steps: 0, guidanceScale: 0, seed: 0n }),
  latentDims: latent as [number, number, number],
};
const whole = transcriptFile(run, leaves, [{ hashes: made.hashes }]);
const headerEnd = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
const header = JSON.parse(new TextDecoder().decode(whole.slice(8, headerEnd)));

function withHeader(json: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(json));
  const bytes = new Uint8Array(8 + text.length + whole.length - headerEnd);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(whole.subarray(headerEnd), 8 + text.length);
  return bytes;
}

test("readTranscript gives the leaves and hashes that transcriptFile was given", async () => {
  const path = join(await temporaryFolder(), "t.safetensors");
  await Deno.writeFile(path, whole);
  const source = await readTranscript(path, made.receipt);
  expect(source.hashes).toEqual(made.hashes);
  expect(await source.leaf(2 * steps)).toEqual(made.leaves[2 * steps]);
});

test("readTranscript finds an image of a batch by its seed, however the request is spelled", async () => {
  const path = join(await temporaryFolder(), "t.safetensors");
  const twice = leaves.map((leaf) => ({
    ...leaf,
    bits: Uint16Array.from([...leaf.bits.map(() => 0), ...leaf.bits]),
  }));
  const first = { ...run.request as object, seed: BigInt(request.seed) - 1n, batch: 2 };
  const commitment = { hashes: made.hashes };
  const batch = { ...run, request: first as never };
  const { tensors, metadata } = decodeSafetensors(
    transcriptFile(batch, twice, [commitment, commitment]),
  );
  const spaced = JSON.stringify(JSON.parse(metadata.request), null, 2);
  await writeFile(path, encodeSafetensors(tensors, { ...metadata, request: spaced }));
  const source = await readTranscript(path, made.receipt);
  expect(source.hashes).toEqual(made.hashes);
});

test("readTranscript meets any file with one error or leaves of the receipt's shape", async () => {
  const path = join(await temporaryFolder(), "t.safetensors");
  const field = fc.constantFrom(...Object.keys(header), "more");
  const part = fc.constantFrom("shape", "data_offsets", "dtype");
  const number = fc.oneof(fc.nat(1e12), fc.integer(), fc.double());
  const lies = fc.oneof(
    fc.tuple(field, fc.jsonValue()).map(([name, value]) => ({ ...header, [name]: value })),
    fc.tuple(field, part, fc.array(number, { maxLength: 5 })).map(([name, key, value]) => ({
      ...header,
      [name]: { ...header[name], [key]: value },
    })),
    fc.dictionary(fc.constantFrom("request", "imageLeaves", "more"), fc.string()).map((text) => ({
      ...header,
      __metadata__: text,
    })),
  ).map(withHeader);
  const flips = fc.nat(8 * whole.length - 1).map((bit) =>
    whole.with(bit >> 3, whole[bit >> 3] ^ (1 << (bit & 7)))
  );
  const cuts = fc.nat(whole.length).map((length) => whole.slice(0, length));
  const noise = fc.uint8Array({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(fc.oneof(lies, flips, cuts, noise), async (bytes) => {
      await Deno.writeFile(path, bytes);
      const source = await readTranscript(path, made.receipt).catch((error: AppError) => error);
      if (source instanceof Error) {
        expect(source).toMatchObject({ name: "AppError", code: "transcript_invalid" });
        return;
      }
      expect(source.hashes.every(({ length }) => length === 32)).toBe(true);
      for (let position = 0; position <= 2 * steps; position++) {
        expect((await source.leaf(position)).length).toBe(made.leaves[position].length);
      }
    }),
    { numRuns: 500 },
  );
});

test("readTranscript reads no file that is longer than the receipt's can be", async () => {
  const path = join(await temporaryFolder(), "t.safetensors");
  // A hole of 10 GB: it takes no room on the disk, and would take it in memory.
  using file = await Deno.open(path, { create: true, write: true });
  await file.truncate(10_000_000_000);
  await expect(readTranscript(path, made.receipt)).rejects
    .toMatchObject({ code: "transcript_invalid", message: expect.stringContaining("more than") });
});
