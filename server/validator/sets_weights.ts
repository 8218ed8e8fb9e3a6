import { openWallet, type SubtensorClient } from "../chain/mod.ts";
import { contentEarnings } from "./content_earnings.ts";
import type { Ledger } from "./ledger/mod.ts";
import { WeightsLoop } from "./weights_loop.ts";

/** The part of a validator of a devnet that sets weights, also those of what creators earn. */
export async function setsWeights(
  { chain, ledger, content, every, hotkey }: {
    readonly chain: SubtensorClient;
    readonly ledger: Ledger;
    /** Address of the content server. */
    readonly content: string;
    /** Blocks from weights to weights. */
    readonly every: number;
    /** A development key. */
    readonly hotkey: string;
  },
): Promise<WeightsLoop> {
  const wallet = await openWallet({ path: "", name: "", hotkey, network: "devnet" });
  const earned = { read: contentEarnings(content), share: 0 };
  return new WeightsLoop({
    ...{ chain, wallet, ledger, content: earned, epochLength: every, log: () => {} },
  });
}
