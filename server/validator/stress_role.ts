import { decodeRequest, encodeRequest, randomSeed, workOf } from "../../core/request/mod.ts";
import { stopwatch, systemClock } from "./clock.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { MinerCaller } from "./miner_caller.ts";
import type { Scoring } from "./open_scoring.ts";
import type { Peer } from "./peers.ts";
import { openPrompts, type PromptSource } from "./prompts.ts";
import { secureRandom } from "./secure_random.ts";
import type { ValidatorOptions } from "./validator_options.ts";
import { StressLoop } from "./stress_loop.ts";
import { examine, loadMiner, type StressResult } from "./stress_window.ts";

/** Receipts of tests that are shown. */
const SHOWN = 200;

/** What tests need of their validator. */
interface StressNeeds extends Scoring {
  readonly ledger: Ledger;
  readonly caller: MinerCaller;
  readonly peers: () => readonly Peer[];
}

/** Tests miners with prompts of their own. */
export async function stressLoop(
  options: ValidatorOptions,
  { ledger, caller, peers, scorer, defaults, manifest }: StressNeeds,
): Promise<StressLoop> {
  const prompts = await promptsOf(options);
  const { size, steps } = options.synthetic;
  const shape = {
    ...defaults,
    ...(size === undefined ? {} : { width: size, height: size }),
    ...(steps === undefined ? {} : { steps }),
  };
  const draw = async () => {
    const request = decodeRequest({ prompt: await prompts() }, { ...shape, seed: randomSeed() });
    const work = workOf(request, defaults);
    return { request: encodeRequest(request), format: "png" as const, manifest, work };
  };
  const random = secureRandom;
  const parts = { caller, scorer, draw, random, options: options.stress, clock: stopwatch };
  return new StressLoop({
    ...{ ledger, peers, random, clock: systemClock, log: options.log },
    ...{ concurrency: options.concurrency, restMs: options.restMs, options: options.stress },
    load: (peer, most, over) => loadMiner(peer, parts, most, over),
    examine: (peer, load) => examine(peer, load, parts),
    publish: (peer, { shown }: StressResult) => {
      if (!shown) return;
      const { id, receipt, token } = shown;
      ledger.receipts.add(id, { id, receipt, token, miner: peer.url }, SHOWN);
    },
  });
}

function promptsOf({ prompts, log }: ValidatorOptions): Promise<PromptSource> {
  return openPrompts(
    prompts,
    secureRandom,
    (error) => log("prompt bank", { error: String(error) }, "warn"),
  );
}
