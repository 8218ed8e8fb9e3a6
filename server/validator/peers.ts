import type { Metagraph } from "../chain/mod.ts";

/** A miner as it is reached. */
export interface Peer {
  readonly uid: number;
  /** SS58. */
  readonly hotkey: string;
  /** http://... */
  readonly url: string;
}

/** Neurons that serve an axon, but for the validator's own. */
export function peersOf({ neurons }: Metagraph, self: string): Peer[] {
  return neurons.flatMap(({ uid, hotkey, axon }) =>
    axon && hotkey !== self ? [{ uid, hotkey, url: urlOf(axon) }] : []
  );
}

function urlOf({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `http://${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
}
