import { NETWORKS } from "./networks.ts";

/** What the chain of `deno task devnet` calls itself. */
export const DEVNET_NAME = "Stepwise devnet";

/** A hotkey's place on a chain, as far as it is known. */
export interface Place {
  /** What the chain calls itself. */
  readonly chain: string;
  readonly endpoint?: string;
  readonly netuid?: number;
  readonly hotkey?: string;
}

/** The command that registers a hotkey on its chain: btcli does not know development chains. */
export function registerCommand(place: Place): string {
  const { netuid, hotkey = "HOTKEY" } = place;
  if (place.chain === DEVNET_NAME) {
    return `deno task devnet register ${hotkey}${devnetFlags(place)}`;
  }
  return `btcli subnets register --netuid ${netuid ?? "N"}`;
}

/** The command that adds stake to a hotkey, which a validator's permit goes by. */
export function stakeCommand(place: Place): string {
  return place.chain === DEVNET_NAME ? `${registerCommand(place)} --stake 1000` : "btcli stake add";
}

/** Those that differ from the command's own. */
function devnetFlags({ endpoint = NETWORKS.devnet.endpoint, netuid = 1 }: Place): string {
  return (netuid === 1 ? "" : ` --netuid ${netuid}`) +
    (endpoint === NETWORKS.devnet.endpoint ? "" : ` --endpoint ${endpoint}`);
}
