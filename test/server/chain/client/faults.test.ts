import { describe, expect, onTestFinished, test } from "vitest";
import { SubtensorClient } from "../../../../server/chain/client/mod.ts";
import { PATIENCE_MS } from "../../../fixtures/patience.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { blocks, connect, NETUID, startSubnet } from "../devnet/small_subnet.ts";
import type { AppError } from "../../../../core/error.ts";
import { chainProxy, type Message, type ProxyHooks } from "./chain_proxy.ts";

/** A subnet, and a client that reaches it through a proxy. */
async function proxied(
  hooks: ProxyHooks,
  { timeoutMs = PATIENCE_MS, commitReveal = false }: {
    readonly timeoutMs?: number;
    readonly commitReveal?: boolean;
  } = {},
) {
  const subnet = await startSubnet({ hyperparameters: { weightsRateLimit: 0, commitReveal } });
  onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
  const client = await SubtensorClient.connect({
    ...{ network: "devnet", endpoint: chainProxy(subnet.devnet.endpoint, hooks) },
    ...{ netuid: NETUID, timeoutMs },
  });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return { ...subnet, client };
}

const WEIGHTS = { uids: [1, 2], weights: [65535, 32768], versionKey: 0n };

/** Weights as the chain has them. */
async function weightsOf({ devnet }: Awaited<ReturnType<typeof startSubnet>>) {
  return await Promise.resolve(
    devnet.chain.state.read("subtensorModule.weights", NETUID, 0)?.toJSON(),
  );
}

test("late answers are waited for", async () => {
  const subnet = await proxied({
    answer: async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return message;
    },
  });
  expect((await subnet.client.metagraph()).neurons).toHaveLength(3);
  expect(await subnet.client.setWeights(WEIGHTS, subnet.alice)).toMatchObject({ way: "set" });
  expect(await weightsOf(subnet)).toEqual([[1, 65535], [2, 32768]]);
});

test("one that never comes is one line, after its time", async () => {
  let silent = false;
  const { client } = await proxied({
    answer: (message, method) => silent && method === "state_call" ? undefined : message,
  }, { timeoutMs: 5000 });
  silent = true;
  expect(await rejection(client.metagraph())).toMatchObject({
    code: "chain_unreachable",
    message: "Cannot read the subnet: the chain did not answer within 5 s; is its node up?",
  });
});

describe("garbage", () => {
  test.each<[string, unknown]>([
    ["bytes that are no metagraph", "0x0102030405"],
    ["no bytes", "hello"],
    ["null", null],
  ])("for the metagraph, %s: an error, and never a number that is none", async (_, result) => {
    let garbled = false;
    const { client } = await proxied({
      answer: (message, method) =>
        garbled && method === "state_call" ? { ...message, result } : message,
    });
    garbled = true;
    const error = await rejection(client.metagraph());
    expect(error).toMatchObject({ code: "chain_invalid" });
    expect(error.message).toMatch(/^Cannot read the subnet: the chain's answer is not understood/);
  });

  test("for the metagraph, its own bytes cut short: an error wherever they are cut", async () => {
    let share = 1;
    const { client } = await proxied({
      answer: (message, method) => {
        if (method !== "state_call" || share === 1) return message;
        const text = String(message.result);
        const kept = Math.min(Math.floor(share * text.length / 2), text.length / 2 - 2);
        return { ...message, result: text.slice(0, 2 + 2 * kept) };
      },
    });
    for (const cut of [0, 0.001, 0.01, 1 / 8, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999999]) {
      share = cut;
      const error = await rejection(client.metagraph());
      expect(error, String(cut)).toMatchObject({ code: "chain_invalid" });
    }
    share = 1;
    expect((await client.metagraph()).neurons).toHaveLength(3);
  });

  test("for a nonce: refused, and nothing is set", async () => {
    const subnet = await proxied({
      answer: (message, method) =>
        method === "system_accountNextIndex" ? { ...message, result: "soon" } : message,
    });
    expect(await rejection(subnet.client.setWeights(WEIGHTS, subnet.alice))).toMatchObject({
      code: "chain_invalid",
    });
    expect(await weightsOf(subnet)).toEqual([]);
  });
});

describe("while the blocks are read that may have the transaction", () => {
  const READS = /^(chain_getBlock|chain_getBlockHash|state_getStorage|state_queryStorageAt)$/;

  /** Weights that are set while what is read after it comes out wrong, for some time. */
  async function setWhile(wrong: (message: Message, drop: () => void) => Message | undefined) {
    let sent = false;
    let times = 0;
    const subnet = await proxied({
      answer: (message, method, drop) => {
        if (method === "author_submitExtrinsic") sent = true;
        if (!sent || !READS.test(String(method))) return message;
        const other = wrong(message, drop);
        if (other !== message) times++;
        return other;
      },
    });
    const nonce = subnet.devnet.chain.nonceOf(subnet.alice.address);
    const outcome = subnet.client.setWeights(WEIGHTS, subnet.alice);
    return {
      ...subnet,
      outcome,
      taken: () => subnet.devnet.chain.nonceOf(subnet.alice.address) - nonce,
      times: () => times,
    };
  }

  test.each<[string, (message: Message, drop: () => void) => Message | undefined]>([
    ["the socket drops", (_, drop) => {
      drop();
      return undefined;
    }],
    ["null comes", (message) => ({ ...message, result: null })],
    ["words come", (message) => ({ ...message, result: "hello" })],
    ["an empty object comes", (message) => ({ ...message, result: {} })],
  ])("%s, twice: read again, and taken once", async (_, wrong) => {
    let left = 2;
    const { outcome, taken, times, ...subnet } = await setWhile((message, drop) =>
      left-- > 0 ? wrong(message, drop) : message
    );
    const { events } = await outcome;
    expect(events.map(({ method }) => method)).toEqual(["WeightsSet", "ExtrinsicSuccess"]);
    expect(times()).toBe(2);
    expect(await weightsOf(subnet)).toEqual([[1, 65535], [2, 32768]]);
    await blocks(subnet.client, 2);
    expect(taken()).toBe(1);
  });

  test("nothing but nonsense comes: one line, which claims neither success nor failure", async () => {
    const { outcome, times } = await setWhile((message) => ({ ...message, result: null }));
    const error = await rejection(outcome);
    expect(error).toMatchObject({ code: "chain_invalid" });
    expect(error.message).toMatch(/^Cannot set weights: the chain's answer is not understood \(/);
    expect(times()).toBeGreaterThan(1);
  });
});

test(
  "words for the state that a commit is timed by: one line, and nothing is committed",
  async () => {
    let garbled = false;
    const subnet = await proxied({
      answer: (message, method) =>
        garbled && method === "state_queryStorageAt" ? { ...message, result: "hello" } : message,
    }, { commitReveal: true });
    garbled = true;
    const error = await rejection(subnet.client.setWeights(WEIGHTS, subnet.alice));
    expect(error).toMatchObject({ code: "chain_invalid" });
    expect(error.message).toMatch(/^Cannot set weights: the chain's answer is not understood/);
    expect(subnet.devnet.chain.nonceOf(subnet.alice.address)).toBe(0);
  },
);

test("a node that never answers a submission is unreachable, it has not refused it", async () => {
  const { client, alice } = await proxied({
    ask: (message) => message.method === "author_submitExtrinsic" ? undefined : message,
  }, { timeoutMs: 5000 });
  expect(await rejection(client.setWeights(WEIGHTS, alice))).toMatchObject({
    code: "chain_unreachable",
  });
});

test("a transaction that the node lost is void, and the next one has its nonce", async () => {
  let lose = true;
  const subnet = await proxied({
    // Taken for accepted, whatever the answer is.
    ask: (message) =>
      lose && message.method === "author_submitExtrinsic"
        ? { ...message, method: "system_chain", params: [] }
        : message,
  });
  const first = await rejection(subnet.client.setWeights(WEIGHTS, subnet.alice));
  expect(first).toMatchObject({ code: "chain_unreachable" });
  expect(first.message).toMatch(/no block took the transaction within 64 blocks; it is void now/);
  expect(await weightsOf(subnet)).toEqual([]);
  lose = false;
  await subnet.client.setWeights(WEIGHTS, subnet.alice);
  expect(await weightsOf(subnet)).toEqual([[1, 65535], [2, 32768]]);
});

test(
  "another chain behind the same address is refused, and the client continues with the first one",
  async () => {
    const other = await startSubnet();
    onTestFinished(() => other.devnet[Symbol.asyncDispose]());
    const subnet = await startSubnet({ hyperparameters: { weightsRateLimit: 0 } });
    onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
    let node = subnet.devnet.endpoint;
    let drop = () => {};
    let opened = Promise.withResolvers<void>();
    const endpoint = chainProxy(() => node, {
      opened: (last) => {
        drop = last;
        opened.resolve();
      },
    });
    await using client = await SubtensorClient.connect({
      endpoint,
      netuid: NETUID,
      timeoutMs: 10_000,
    });
    /** Over a new connection. */
    const reconnected = async (to: string) => {
      node = to;
      opened = Promise.withResolvers();
      drop();
      await opened.promise;
      for (;;) {
        const error = await client.metagraph().then(() => undefined, (error: AppError) => error);
        if (error?.code !== "chain_unreachable") return error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const error = await reconnected(other.devnet.endpoint);
    expect(error).toMatchObject({ code: "chain_invalid" });
    expect(error?.message).toMatch(/its genesis is 0x.* now, and was 0x/);
    expect(await rejection(client.setWeights(WEIGHTS, subnet.alice))).toMatchObject({
      code: "chain_invalid",
    });
    expect(await rejection(client.transfer(subnet.bob.address, 1n, subnet.alice))).toMatchObject({
      code: "chain_invalid",
    });
    expect(other.devnet.chain.nonceOf(subnet.alice.address)).toBe(0);
    expect(await reconnected(subnet.devnet.endpoint)).toBeUndefined();
    await client.setWeights(WEIGHTS, subnet.alice);
    expect(await weightsOf(subnet)).toEqual([[1, 65535], [2, 32768]]);
  },
);

describe("a socket that drops in the middle of a submission", () => {
  test.each([
    ["before the node has it", true],
    ["after it has it, before it says so", false],
  ])("%s: taken once", async (_, before) => {
    let drops = 0;
    const subnet = await proxied({
      ask: (message, drop) => {
        if (!before || message.method !== "author_submitExtrinsic" || drops++ > 0) return message;
        drop();
        return undefined;
      },
      answer: (message, method, drop) => {
        if (before || method !== "author_submitExtrinsic" || drops++ > 0) return message;
        drop();
        return undefined;
      },
    });
    const nonce = subnet.devnet.chain.nonceOf(subnet.alice.address);
    const { block } = await subnet.client.setWeights(WEIGHTS, subnet.alice);
    expect(drops).toBeGreaterThan(0);
    expect(await weightsOf(subnet)).toEqual([[1, 65535], [2, 32768]]);
    await blocks(subnet.client, 3);
    expect(subnet.devnet.chain.nonceOf(subnet.alice.address)).toBe(nonce + 1);
    expect((await subnet.client.metagraph()).neurons[0].lastUpdate).toBe(block);
  });
});

describe("the runtime is upgraded under the client, with its calls numbered otherwise", () => {
  test("before the next call: the call is the right one", async () => {
    const subnet = await startSubnet({ hyperparameters: { weightsRateLimit: 0 } });
    onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
    await using client = await connect(subnet.devnet);
    await client.setWeights(WEIGHTS, subnet.alice);
    subnet.devnet.chain.upgrade();
    await blocks(client, 2);
    await client.setWeights({ ...WEIGHTS, weights: [1, 65535] }, subnet.alice);
    expect(await weightsOf(subnet)).toEqual([[1, 1], [2, 65535]]);
    const { block } = await client.serveAxon({ ip: "10.1.2.3", port: 8091 }, subnet.bob);
    const { neurons } = await client.metagraph();
    expect(neurons[1].axon).toMatchObject({ ip: "10.1.2.3", port: 8091, block });
  });

  test(
    "and the client learns of it only after it was refused: tried again by the new one",
    async () => {
      const refused = Promise.withResolvers<void>();
      let hold = false;
      const subnet = await proxied({
        answer: async (message, method) => {
          if (method === "author_submitExtrinsic") refused.resolve();
          if (method === "state_runtimeVersion" && hold) await refused.promise;
          return message;
        },
      });
      hold = true;
      subnet.devnet.chain.upgrade();
      await subnet.client.setWeights(WEIGHTS, subnet.alice);
      expect(await weightsOf(subnet)).toEqual([[1, 65535], [2, 32768]]);
    },
  );

  test("and the client never learns of it: refused in words, and nothing is set", async () => {
    const subnet = await proxied({
      answer: (message, method) => method === "state_runtimeVersion" ? undefined : message,
    });
    subnet.devnet.chain.upgrade();
    const error = await rejection(subnet.client.setWeights(WEIGHTS, subnet.alice));
    expect(error).toMatchObject({ code: "chain_refused" });
    expect(error.message).toMatch(/bad signature|Could not decode/);
    expect(await weightsOf(subnet)).toEqual([]);
  });
});
