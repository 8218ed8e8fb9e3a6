import { axonUrl, type Metagraph } from "../chain/mod.ts";

/** A miner as it is reached. */
export interface Peer {
  readonly uid: number;
  /** SS58. */
  readonly hotkey: string;
  /** http://... */
  readonly url: string;
}

/**
 * Neurons that serve an axon, but for the validator's own.
 * @param allowPrivate whether axons count that only this machine or its own network can reach: on a
 * public chain anybody could lead a validator there.
 */
export function peersOf({ neurons }: Metagraph, self: string, allowPrivate: boolean): Peer[] {
  return neurons.flatMap(({ uid, hotkey, axon }) => {
    const url = axon && hotkey !== self ? axonUrl(axon, allowPrivate) : undefined;
    return url === undefined ? [] : [{ uid, hotkey, url }];
  });
}
