import { stopwatch, systemClock } from "./clock.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { MinerCaller } from "./miner_caller.ts";
import type { Scoring } from "./open_scoring.ts";
import type { Peer } from "./peers.ts";
import { openPrompts, type PromptSource } from "./prompts.ts";
import { secureRandom } from "./secure_random.ts";
import type { ValidatorOptions } from "./validator_options.ts";
import { StressLoop } from "./stress_loop.ts";
import { type RecentShapes, testDraw } from "./test_draw.ts";
import { examine, loadMiner, type StressResult } from "./stress_window.ts";

/** Receipts of tests that are shown. */
const SHOWN = 200;
/** Answers of a miner in doubt that are checked in one window, at most. */
const DOUBTED_CHECKS = 16;

/** What tests need of their validator. */
export interface StressNeeds extends Scoring {
  readonly ledger: Ledger;
  readonly caller: MinerCaller;
  readonly peers: () => readonly Peer[];
  readonly recent: RecentShapes;
}

/** Tests miners with requests that look like users'. */
export async function stressLoop(
  options: ValidatorOptions,
  { ledger, caller, peers, scorer, defaults, model, recent }: StressNeeds,
): Promise<StressLoop> {
  const random = secureRandom;
  const draw = testDraw({
    ...{ defaults, manifest: model?.manifest, recent, random, fixed: options.synthetic },
    prompts: await promptsOf(options),
  });
  const parts = {
    ...{ caller, scorer, draw, random, options: options.stress, clock: stopwatch },
    isNew: (root: string) => ledger.roots.add(root),
  };
  // Windows come when chance says: what a miner in doubt gets sooner is checks.
  const thorough = { ...options.stress, checkShare: 1, maxChecks: DOUBTED_CHECKS };
  const doubted = { ...parts, options: thorough };
  return new StressLoop({
    ...{ ledger, peers, random, clock: systemClock, log: options.log },
    ...{ concurrency: options.concurrency, restMs: options.restMs, options: options.stress },
    load: (peer, most, over) => loadMiner(peer, parts, most, over),
    examine: (peer, load) => examine(peer, load, ledger.wantsRetest(peer.hotkey) ? doubted : parts),
    publish: (peer, { shown }: StressResult) => {
      if (!shown) return;
      const { id, receipt, token, witness = null } = shown;
      ledger.doubts.made(id, receipt.miner);
      ledger.receipts.add(id, { id, receipt, token, miner: peer.url, witness }, SHOWN);
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
