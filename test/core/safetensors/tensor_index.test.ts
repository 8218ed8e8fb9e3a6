import { expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { readTensorIndex } from "../../../core/safetensors/mod.ts";

type Header = Record<string, unknown>;

/** A file with this header, and as many bytes of data. */
function checkpoint(header: Header | string, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const tensor = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

function folder(files: Readonly<Record<string, Uint8Array | string>>) {
  const bytes = new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    ]),
  );
  const of = (path: string) => bytes.get(path) ?? new Uint8Array();
  return {
    name: "test",
    has: (path: string) => bytes.has(path),
    size: (path: string) => of(path).length,
    text: (path: string) => Promise.resolve(new TextDecoder().decode(of(path))),
    bytes: (path: string, { start, end }: { start: number; end: number }) =>
      Promise.resolve(of(path).slice(start, end)),
  };
}

test("readTensorIndex says where tensors are, whatever lies between them", async () => {
  const header = {
    __metadata__: { format: "pt" },
    "a.weight": tensor("F32", [2, 1], 0, 8),
    "b.weight": tensor("BF16", [3], 10, 16),
    position_ids: tensor("I64", [1], 16, 24),
  };
  const file = checkpoint(header, 24);
  const index = await readTensorIndex(folder({ "model.safetensors": file }), "model.safetensors");
  const data = file.length - 24;
  expect([...index.keys()]).toEqual(["a.weight", "b.weight", "position_ids"]);
  expect(index.get("b.weight")).toMatchObject({
    ...{ dtype: "BF16", shape: [3], path: "model.safetensors" },
    ...{ start: data + 10, end: data + 16 },
  });
});

const huge = checkpoint({}, 0);
new DataView(huge.buffer).setBigUint64(0, 2n ** 31n, true);

test.each([
  ["no length", new Uint8Array(5), "it has 5 bytes, not even the header's length"],
  ["a header of 2 GB", huge, "its header claims 2147483648 bytes"],
  ["no JSON", checkpoint("{", 0), "its header is not JSON"],
  ["a list", checkpoint("[]", 0), "its header is not a JSON object"],
  ["an unknown type", checkpoint({ a: tensor("F3", [1], 0, 4) }, 4), 'a: dtype is "F3"'],
  ["a cut file", checkpoint({ a: tensor("F32", [2], 0, 8) }, 7), "a ends at byte 8 of 7"],
  ["another size", checkpoint({ a: tensor("F16", [2], 0, 8) }, 8), "not the 4 of its shape"],
  ["a negative place", checkpoint({ a: tensor("F32", [1], -4, 0) }, 8), "data_offsets.0 is -4"],
  [
    "an overlap",
    checkpoint({ a: tensor("F32", [2], 0, 8), b: tensor("F32", [1], 4, 8) }, 8),
    "b claims bytes from 4 on, another's up to 8",
  ],
])("readTensorIndex refuses %s", async (_, file, why) => {
  const reading = readTensorIndex(folder({ "m.safetensors": file }), "m.safetensors");
  const error = await reading.then(() => undefined, (thrown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(error.code).toBe("model_invalid");
  expect(error.message).toContain(why);
});

const INDEX = "m.safetensors.index.json";
const shard = (name: string) => checkpoint({ [name]: tensor("F32", [1], 0, 4) }, 4);

test("readTensorIndex joins shards", async () => {
  const files = folder({
    [INDEX]: JSON.stringify({ weight_map: { a: "1.safetensors", b: "2.safetensors" } }),
    "1.safetensors": shard("a"),
    "2.safetensors": shard("b"),
  });
  const index = await readTensorIndex(files, INDEX);
  expect([...index.values()].map(({ name, path }) => [name, path]))
    .toEqual([["a", "1.safetensors"], ["b", "2.safetensors"]]);
});

test.each([
  ["a shard that is missing", { a: "2.safetensors" }, "its shard 2.safetensors is missing"],
  ["a tensor that is missing", { a: "1.safetensors", b: "1.safetensors" }, "b is not in 1.safe"],
  ["a tensor that is not listed", { b: "1.safetensors" }, "1.safetensors has a, which is not"],
])("readTensorIndex refuses %s", async (_, weightMap, why) => {
  const files = folder({
    [INDEX]: JSON.stringify({ weight_map: weightMap }),
    "1.safetensors": shard("a"),
  });
  await expect(readTensorIndex(files, INDEX)).rejects.toThrow(why);
});
