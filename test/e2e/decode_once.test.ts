import { expect, test, vi } from "vitest";
import { decodeRequest, encodeRequest } from "../../core/request/mod.ts";
import { openVerifier } from "../../core/verifier/mod.ts";
import { openWallet, type Wallet } from "../../server/chain/mod.ts";
import { startMiner } from "../../server/miner/mod.ts";
import { openEngine } from "../../server/neuron/mod.ts";
import { MinerCaller } from "../../server/validator/miner_caller.ts";
import { localScorer } from "../../server/validator/scorer.ts";
import { takeCounts } from "../fixtures/counts.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

// Each is what a check could do again: read JSON, plan, hash, prove, verify a signature, decode.
const { counted } = vi.hoisted(() => ({
  counted: async <M extends object>(original: () => Promise<M>, ...names: (keyof M & string)[]) =>
    (await import("../fixtures/counts.ts")).counted(original, ...names),
}));
type Files = typeof import("../../core/model/model_files.ts");
type Plans = typeof import("../../core/schedule/plan_from_config.ts");
type Receipts = typeof import("../../core/transcript/receipt.ts");
type Signatures = typeof import("../../core/transcript/signature.ts");
type Hashes = typeof import("../../core/transcript/file_hash.ts");
type Merkle = typeof import("../../core/transcript/merkle.ts");
type Tolerances = typeof import("../../core/model/tolerance.ts");
type Sources = typeof import("../../core/model/model_source.ts");
vi.mock("../../core/model/model_files.ts", (real) => counted<Files>(real, "readJson"));
vi.mock(
  "../../core/schedule/plan_from_config.ts",
  (real) => counted<Plans>(real, "planFromConfig"),
);
vi.mock("../../core/transcript/receipt.ts", (real) => counted<Receipts>(real, "receiptId"));
vi.mock(
  "../../core/transcript/signature.ts",
  (real) => counted<Signatures>(real, "checkSignature"),
);
vi.mock("../../core/transcript/file_hash.ts", (real) => counted<Hashes>(real, "fileHash"));
vi.mock("../../core/transcript/merkle.ts", (real) => counted<Merkle>(real, "rootOfRun"));
vi.mock("../../core/model/tolerance.ts", (real) => counted<Tolerances>(real, "decodeTolerances"));
vi.mock("../../core/model/model_source.ts", (real) => counted<Sources>(real, "catalogueEntryOf"));

function development(hotkey: string): Promise<Wallet> {
  return openWallet({ path: "", name: "", hotkey, network: "devnet" });
}

/** A miner, and a validator of the same model: both in this process, both counted. */
async function pair(stack: AsyncDisposableStack) {
  const [bob, alice] = [await development("//Bob"), await development("//Alice")];
  const common = { hostname: "127.0.0.1", port: 0, model: "embedded", compute: "cpu" };
  const miner = stack.use(
    await startMiner({
      ...{ ...common, wallet: bob, queue: 4, batch: 1, log: () => {} },
      ...{ folder: await temporaryFolder(), maxTranscriptBytes: 2 ** 28 },
      whitelist: { hotkeys: [alice.hotkey.address] },
    }),
  );
  const options = { ...common, wallet: alice, folder: "", log: () => {} };
  const { engine, model, facts } = await openEngine(options, stack);
  return {
    ...{ engine, facts, caller: new MinerCaller(alice.hotkey) },
    scorer: localScorer(await openVerifier(model), engine),
    peer: { uid: 1, hotkey: bob.hotkey.address, url: miner.url },
  };
}

// Before verifiers were kept, a check with four openings read 6 JSON files (4 of them the miner's),
// made 7 plans (4 the miner's, one the engine's), hashed 17 receipt ids (4 an opening, one for the
// report) and the image again, verified the signature again and decoded the tolerances.
test("a check of three steps proves its openings, and repeats nothing that was done", async () => {
  await using stack = new AsyncDisposableStack();
  const { engine, facts, caller, scorer, peer } = await pair(stack);
  const input = { prompt: "a red tau symbol", width: 64, height: 64, steps: 8 };
  takeCounts();
  for (const [seed, plans] of [[1n, 1], [2n, 0]] as const) {
    const request = encodeRequest(decodeRequest(input, { ...engine.defaults, seed }));
    const asked = { request, format: "png" as const, manifest: facts.manifest, timeoutMs: 60_000 };
    const answer = await caller.generate(peer, asked);
    const image = await caller.image(peer, answer, 5000);
    takeCounts();
    const score = await scorer({ ...answer, url: peer.url }, image);
    expect(score).toMatchObject({ verdict: "honest" });
    const { rootOfRun: openings, planFromConfig = 0, ...rest } = takeCounts();
    expect(openings).toBeGreaterThanOrEqual(3);
    expect(openings).toBeLessThanOrEqual(5);
    // At the first receipt of such a request. What the engine plans, it plans in its own thread.
    expect(planFromConfig).toBe(plans);
    expect(rest).toEqual({});
  }
});
