/** What the server of this page is, where it is a neuron. */
export interface OwnServer {
  readonly kind: "miner" | "validator";
  /** Whether it takes jobs of who has a key. */
  readonly jobs: boolean;
  /** The folder that its paths are relative to. */
  readonly url: string;
}

/** A subnet as one validator measures it. */
export interface Subnet {
  /** The validator, as it was asked. */
  readonly url: string;
  readonly hotkey: string;
  readonly version: string;
  readonly netuid: number | undefined;
  readonly block: number | undefined;
  readonly miners: readonly SubnetMiner[];
}

/** A miner as a validator measured it; what was not measured is undefined. */
export interface SubnetMiner {
  readonly uid: number;
  readonly hotkey: string;
  readonly url: string;
  /** Images of the model's default a second, in tests of capacity. */
  readonly imagesPerSecond: number | undefined;
  /** Mean cosine of what was checked. */
  readonly similarity: number | undefined;
  readonly checks: number;
  readonly served: number;
  readonly failed: number;
  readonly cheated: boolean;
  /** What it was caught at, in the validator's words. */
  readonly why: string | undefined;
  /** Its share of what the validator last set, in [0, 1]; undefined before. */
  readonly weight: number | undefined;
}
