import type { SignedAttestation } from "../../../core/protocol/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import type { OwnServer, Subnet } from "./subnet.ts";
import type { Level, Report, StepChoice } from "../../../core/verifier/mod.ts";

/** The name of a cancellation error, as it crosses to the page. */
export const CANCELLED = "cancelled";

/** What the page asks of its worker. Everything that takes time happens there. */
export interface EngineApi {
  capabilities(): Promise<Capabilities>;
  /** The receipt and the image that a link leads to. */
  fetchReceipt(link: ReceiptLink): Promise<FetchedReceipt>;
  /** SHA-256 in lower-case hex, by which a receipt may name its image: with and without metadata. */
  hashesOf(file: Blob): Promise<readonly string[]>;
  /** Receipts that this page's server knows for an image, or for one that it is a copy of. */
  findReceipts(file: Blob): Promise<readonly OfferedReceipt[]>;
  /** Receipts that a validator or miner lists; invalid entries are left out. */
  readList(from: string): Promise<readonly OfferedReceipt[]>;
  /** Of this page's server. */
  readOwnList(): Promise<readonly OfferedReceipt[]>;
  /** What serves this page, where that is a neuron. */
  readOwnServer(): Promise<OwnServer | undefined>;
  /** A subnet as a validator measures it. */
  readSubnet(validator: string): Promise<Subnet>;
  /** What people attested of a receipt there, by signatures that hold. */
  attestations(validator: string, receipt: string): Promise<readonly SignedAttestation[]>;
  attest(validator: string, signed: SignedAttestation): Promise<void>;
  /** How far this tab can check a receipt. */
  reach(subject: Pick<CheckOrder, "receipt" | "link" | "transcript">): Promise<Reach>;
  check(order: CheckOrder, onEvent: (event: CheckEvent) => void): Promise<TabReport>;
  generate(order: GenerateOrder, onEvent: (event: GenerateEvent) => void): Promise<OwnImage>;
  /** Ends the check or the image that is being made. */
  cancel(): void;
  /** Weights that are kept on this machine, in bytes. */
  storedBytes(): Promise<number>;
  /** Ends what runs, and deletes weights and the last image. */
  clear(): Promise<void>;
}

/** A report of this tab. */
export interface TabReport extends Report {
  /** The tab does not have the model: only what `STATEMENT_ONLY` says was checked. */
  readonly statementOnly?: true;
}

export interface Reach {
  readonly level: Level;
  /** Why not further, for people. */
  readonly why?: string;
}

/** What this browser can compute with. */
export interface Capabilities {
  /** The adapter's name; undefined with the reason in `gpuProblem`. */
  readonly gpu?: string;
  readonly gpuProblem?: string;
  /** A software adapter is slower than the CPU. */
  readonly software: boolean;
  readonly threads: number;
}

export type ComputeChoice = "auto" | "gpu" | "cpu";

/** Where a receipt's steps are opened. */
export interface ReceiptLink {
  /** http(s), of the miner. */
  readonly miner: string;
  /** `receiptId`. */
  readonly id: string;
  readonly token: string;
  /** http(s), of the validator that showed it: there attestations are stored. */
  readonly validator?: string;
}

export interface OfferedReceipt {
  readonly receipt: Receipt;
  readonly link: ReceiptLink;
}

export interface FetchedReceipt {
  readonly receipt: Receipt;
  readonly image: Blob;
}

/** A draw by the block that a validator's witness names, as a node of the chain has it. */
export interface WitnessedDraw {
  readonly draw: number;
  /** The node's address, `wss://`. */
  readonly node: string;
  /** As JSON, alone or in a validator's answer. */
  readonly witness: string;
}

export interface CheckOrder {
  readonly receipt: Receipt;
  /** The miner; undefined for an image that this tab made. */
  readonly link?: ReceiptLink;
  /** The image's file. */
  readonly image?: Blob;
  /** A file with the run's steps, which opens them without a miner. */
  readonly transcript?: Blob;
  readonly level: Level;
  readonly steps: StepChoice | WitnessedDraw;
  readonly compute: ComputeChoice;
}

/** A picture as a canvas takes it. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** What happens during a check, for the ladder and the strip. */
export type CheckEvent =
  | { readonly kind: "drawn"; readonly steps: readonly number[] }
  | { readonly kind: "stage"; readonly stage: Stage; readonly detail: string }
  /** A state that was opened and proven, before this step, as the model sees it. */
  | { readonly kind: "opened"; readonly step: number; readonly state?: Picture }
  /** Where the miner's prediction and ours differ, in the colours of `HEAT`. */
  | {
    readonly kind: "compared";
    readonly step: number;
    readonly theirs?: Picture;
    readonly ours?: Picture;
    readonly difference: Picture;
  };

/** Parts of a check, in their order. */
export const STAGES = ["receipt", "proofs", "arithmetic", "model", "network", "image"] as const;

export type Stage = typeof STAGES[number];

export interface GenerateOrder {
  /** The address of a folder in diffusers' layout; empty for the embedded model. */
  readonly model: string;
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly seed: string;
  readonly steps: number;
  readonly guidanceScale: number;
  readonly size: number;
  readonly compute: ComputeChoice;
}

export type GenerateEvent =
  | { readonly kind: "stage"; readonly detail: string }
  | {
    readonly kind: "step";
    readonly step: number;
    readonly steps: number;
    readonly preview?: Picture;
  };

/** An image that this tab made, with a receipt of its own. */
export interface OwnImage {
  readonly receipt: Receipt;
  readonly image: Blob;
  readonly seconds: number;
  readonly compute: string;
  /** Bytes of the model that were fetched to open it. */
  readonly fetched: number;
}
