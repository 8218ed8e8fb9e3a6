import type { Receipt } from "../../core/transcript/mod.ts";
import type { Level } from "../../core/verification/mod.ts";
import type { Report } from "../../core/verify/mod.ts";

/** What the page asks of its worker. Everything that takes time happens there. */
export interface EngineApi {
  capabilities(): Promise<Capabilities>;
  /** The receipt and the image that a link leads to. */
  fetchReceipt(link: ReceiptLink): Promise<FetchedReceipt>;
  check(order: CheckOrder, onEvent: (event: CheckEvent) => void): Promise<Report>;
  generate(order: GenerateOrder, onEvent: (event: GenerateEvent) => void): Promise<OwnImage>;
  /** Ends what runs. */
  cancel(): void;
  /** Weights that are kept on this machine, in bytes. */
  storedBytes(): Promise<number>;
  clearWeights(): Promise<void>;
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
}

export interface FetchedReceipt {
  readonly receipt: Receipt;
  readonly image: Blob;
}

/** The steps to open: drawn in private, drawn by a block, or picked. */
export type StepChoice =
  | { readonly draw: number; readonly blockHash?: string }
  | { readonly take: readonly number[] };

export interface CheckOrder {
  readonly receipt: Receipt;
  /** The miner; undefined for an image that this tab made. */
  readonly link?: ReceiptLink;
  /** The image's file. */
  readonly image?: Blob;
  readonly level: Level;
  readonly steps: StepChoice;
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
  /** A state that was opened and proven, as the model sees it. */
  | { readonly kind: "opened"; readonly step: number; readonly preview?: Picture }
  /** Where the miner's prediction and ours differ: 0 to 1 of the tolerance and more. */
  | {
    readonly kind: "compared";
    readonly step: number;
    readonly theirs?: Picture;
    readonly ours?: Picture;
    readonly difference: Picture;
  };

/** Rungs of the ladder, in their order. */
export type Stage = "receipt" | "proofs" | "arithmetic" | "model" | "network" | "image";

export interface GenerateOrder {
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
}
