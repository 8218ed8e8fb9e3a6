import type { SignedAttestation } from "../../../core/protocol/mod.ts";

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
  /** What was set, the oldest first. */
  readonly weights: readonly SubnetWeights[];
  /** The oldest first. */
  readonly hours: readonly SubnetHour[];
  readonly attestations: readonly SignedAttestation[];
  /** What people published, where the validator's address has it. */
  readonly pieces: readonly SubnetPiece[];
}

/** Weights that the validator set. */
export interface SubnetWeights {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Shares of 1, by uid. */
  readonly shares: ReadonlyMap<number, number>;
}

/** What a validator measured in an hour. */
export interface SubnetHour {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly images: number;
  readonly checks: number;
  readonly failedChecks: number;
  readonly similarity: number | undefined;
}

/** A published picture. */
export interface SubnetPiece {
  readonly id: string;
  readonly caption: string;
  readonly creator: string;
  readonly at: number;
  readonly image: Blob;
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
  /** Its share of what the chain pays miners, in [0, 1]. */
  readonly incentive: number | undefined;
  /** Its share of what the validator last set, in [0, 1]; undefined before. */
  readonly weight: number | undefined;
}
