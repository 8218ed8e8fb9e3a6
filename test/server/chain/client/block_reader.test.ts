import { expect, test } from "vitest";
import { BlockReader } from "../../../../server/chain/client/block_reader.ts";

/** A chain of one block, whose best version may be replaced. */
function replaceable() {
  let best = "0xa";
  let heard: (block: number) => void = () => {};
  const clock = {
    hashOf: () => Promise.resolve(best),
    onBlock: (listener: typeof heard) => {
      heard = listener;
      return () => {};
    },
  };
  const getBlock = (hash: string) =>
    Promise.resolve({ block: { header: { hash: { toHex: () => hash } }, extrinsics: [] } });
  const link = { api: { rpc: { chain: { getBlock } }, isConnected: true } };
  const replace = (hash: string) => {
    best = hash;
    heard(5);
  };
  return { reader: new BlockReader(link as never, clock as never, 1000), replace };
}

test("BlockReader reads a block once, and again when another takes its place", async () => {
  const { reader, replace } = replaceable();
  const first = await reader.read(5, "try");
  expect(first).toMatchObject({ number: 5, hash: "0xa" });
  expect(await reader.read(5, "try")).toBe(first);
  replace("0xb");
  expect(await reader.read(5, "try")).toMatchObject({ number: 5, hash: "0xb" });
});
