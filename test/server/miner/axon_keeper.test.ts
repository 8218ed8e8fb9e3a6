import { expect, test } from "vitest";
import { type Metagraph, openWallet } from "../../../server/chain/mod.ts";
import { AxonKeeper } from "../../../server/miner/axon_keeper.ts";

const OURS = { ip: "203.0.113.7", port: 8091 };
const wallet = await openWallet({ path: "", name: "", hotkey: "//Bob", network: "devnet" });
const { address } = wallet.hotkey;

function subnet(axon: typeof OURS | undefined, hotkey = address): Metagraph {
  return { neurons: [{ uid: 3, hotkey, axon }] } as unknown as Metagraph;
}

/** A keeper that finds the subnet so at first; what it serves, and what it says. */
async function kept(first: Metagraph) {
  const served: unknown[] = [];
  const events: string[] = [];
  let emit: (metagraph: Metagraph) => void = () => {};
  using keeper = await AxonKeeper.start({
    ...{ wallet, axon: OURS, log: (event) => events.push(event) },
    chain: {
      serveAxon: (axon) => {
        served.push(axon);
        return Promise.resolve({ block: 1, blockHash: "0x", hash: "0x", events: [] });
      },
    },
    subnet: {
      metagraph: first,
      onRead: (listener) => {
        emit = listener;
        return () => {};
      },
    },
  });
  void keeper;
  const read = async (metagraph: Metagraph) => {
    emit(metagraph);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { served, events, read };
}

test("an axon that the chain has is not served again", async () => {
  const { served, read } = await kept(subnet(OURS));
  await read(subnet(OURS));
  expect(served).toEqual([]);
});

test("one that the chain has forgotten is, as after a restart from genesis", async () => {
  const { served, read } = await kept(subnet(undefined));
  expect(served).toEqual([OURS]);
  await read(subnet(OURS));
  await read(subnet(undefined));
  expect(served).toEqual([OURS, OURS]);
});

test("one of another process is left alone, and a deregistered hotkey is logged", async () => {
  const { served, events, read } = await kept(subnet(OURS));
  await read(subnet({ ...OURS, port: 9000 }));
  await read(subnet(undefined, "5Other"));
  expect(served).toEqual([]);
  expect(events).toEqual(["axon not served"]);
});
