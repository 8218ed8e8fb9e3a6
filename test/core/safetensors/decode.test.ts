import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../../../core/safetensors/mod.ts";
import { codeOf, largestBuffer } from "../transcript/hostile.ts";

const tensors = fc.array(
  fc.record({
    name: fc.string({ minLength: 1 }).filter((name) => !name.startsWith("__")),
    dims: fc.array(fc.nat(3), { maxLength: 3 }),
  }),
  { maxLength: 5 },
).map((list) => [...new Map(list.map((each) => [each.name, each])).values()])
  // Names that JSON objects put first would be in another order.
  .filter((list) => list.every(({ name }) => !/^\d+$/.test(name)))
  .map((list) =>
    list.map(({ name, dims }, k) => ({
      name,
      dims,
      bits: new Uint16Array(dims.reduce((product, side) => product * side, 1)).fill(k + 1),
    }))
  );

test("decodeSafetensors reads what encodeSafetensors writes, at any offset in memory", () => {
  fc.assert(fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (list, metadata) => {
    const file = encodeSafetensors(list, metadata);
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    for (const bytes of [file, shifted.subarray(1)]) {
      const read = decodeSafetensors(bytes);
      expect(read.metadata).toEqual({ ...metadata });
      // Empty tensors share their place, and their order with it.
      const order = (a: { name: string }, b: { name: string }) => a.name < b.name ? -1 : 1;
      expect(read.tensors.toSorted(order)).toEqual(list.toSorted(order));
    }
  }));
});

test("decodeSafetensors keeps metadata whose key is that of an object's prototype", () => {
  const metadata = JSON.parse('{"__proto__":"kept"}');
  const read = decodeSafetensors(encodeSafetensors([], metadata));
  expect(Object.entries(read.metadata)).toEqual([["__proto__", "kept"]]);
});

function file(header: unknown, data = 8, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const x = { dtype: "F16", shape: [4], data_offsets: [0, 8] };
test.each([
  ["nothing", new Uint8Array()],
  ["half a length", new Uint8Array(5)],
  ["a header of 10 GB", file({ x }, 8, 10_000_000_000n)],
  ["a header of 2^64 - 1 bytes", file({ x }, 8, 2n ** 64n - 1n)],
  ["no JSON", file("{", 8)],
  ["an array", file([], 0)],
  ["a tensor of 10 GB", file({ x: { ...x, shape: [5e9], data_offsets: [0, 1e10] } })],
  ["a shape of negative size", file({ x: { ...x, shape: [-4] } })],
  ["a shape that overflows", file({ x: { ...x, shape: [2 ** 40, 2 ** 40] } })],
  ["another shape than its bytes", file({ x: { ...x, shape: [3] } })],
  ["another type", file({ x: { ...x, dtype: "F32" } })],
  ["a gap", file({ x: { ...x, data_offsets: [2, 10] } }, 10)],
  ["an overlap", file({ x, y: { ...x, data_offsets: [4, 12] } }, 12)],
  ["missing data", file({ x }, 6)],
  ["data too much", file({ x }, 10)],
  ["metadata that is no text", file({ __metadata__: { a: 1 }, x })],
  ["deep nesting", file("[".repeat(100_000), 8)],
])("decodeSafetensors refuses %s, and asks for no memory by it", (_, bytes) => {
  const largest = largestBuffer(() =>
    expect(codeOf(() => decodeSafetensors(bytes))).toBe("transcript_invalid")
  );
  expect(largest).toBeLessThanOrEqual(bytes.length);
});

test("largestBuffer sees what is asked for", () => {
  expect(largestBuffer(() => [new Uint8Array(7), new Uint16Array(50), new ArrayBuffer(3)])).toBe(
    100,
  );
  expect(largestBuffer(() => new Uint8Array([1, 2, 3]))).toBe(0);
});

test("decodeSafetensors meets noise with one error or reads it", () => {
  const headers = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.string(),
      fc.record({
        dtype: fc.constantFrom("F16", "F32"),
        shape: fc.array(fc.integer(), { maxLength: 3 }),
        data_offsets: fc.tuple(fc.integer(), fc.integer()),
      }),
    ),
  );
  fc.assert(fc.property(headers, fc.nat(64), (header, data) => {
    const code = codeOf(() => decodeSafetensors(file(header, data)));
    expect([undefined, "transcript_invalid"]).toContain(code);
  }));
});
