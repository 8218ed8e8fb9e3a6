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
  /** The edges that a ControlNet would draw along: white on black, of the embedded model's own size. */
  edgesOf(image: Blob): Promise<Picture>;
  enlarge(order: EnlargeOrder): Promise<EnlargedImage>;
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
  reach(subject: ReachSubject): Promise<Reach>;
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

/** On what it depends how far a receipt can be checked. */
export type ReachSubject = Pick<CheckOrder, "receipt" | "link" | "transcript" | "inputs">;

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

/** Files that a request names, by their SHA-256. */
export type InputBlobs = Readonly<Record<string, Blob>>;

/** The receipt that another's request goes on from, and its image where that is here. */
export interface ParentOrder {
  readonly receipt: Receipt;
  readonly image?: Blob;
}

export interface CheckOrder {
  readonly receipt: Receipt;
  /** The miner; undefined for an image that this tab made. */
  readonly link?: ReceiptLink;
  /** The image's file. */
  readonly image?: Blob;
  /** A file with the run's steps, which opens them without a miner. */
  readonly transcript?: Blob;
  /** Files that the request names, as far as they are here; images that are not are asked of the miner. */
  readonly inputs?: InputBlobs;
  /** What the request goes on from, where it is known. */
  readonly parent?: ParentOrder;
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

/** What a run was made from, at its own size. */
export interface SourcePictures {
  readonly image?: Picture;
  /** White is made anew. */
  readonly mask?: Picture;
  readonly controls: readonly ControlPictures[];
}

/** What a ControlNet drew along. */
export interface ControlPictures {
  /** As its file shows it; undefined where it is not here. */
  readonly image?: Picture;
  /** What was found in it: white on black. Undefined where the image shows them already. */
  readonly edges?: Picture;
  readonly scale: number;
}

/** What happens during a check, for the ladder and the strip. */
export type CheckEvent =
  | { readonly kind: "drawn"; readonly steps: readonly number[] }
  | { readonly kind: "stage"; readonly stage: Stage; readonly detail: string }
  /** What the run started from, as the files say, at the request's size. */
  | { readonly kind: "sources"; readonly sources: SourcePictures }
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
  /** Pixels a side; from an image, as many in its shape. */
  readonly size: number;
  readonly compute: ComputeChoice;
  readonly source?: SourceOrder;
  readonly control?: ControlOrder;
  readonly loras?: readonly LoraOrder[];
}

/** An image to start from. */
export interface SourceOrder {
  readonly image: Blob;
  /** White where it is drawn anew. */
  readonly mask?: Blob;
  readonly strength: number;
  /** The receipt's id that the image is of, where it is known. */
  readonly parent?: string;
  /** What enlarged the parent's image to this one, which then keeps its size. */
  readonly upscaler?: string;
}

/** An image to make larger. */
export interface EnlargeOrder {
  readonly image: Blob;
  /** Times its width and height. */
  readonly factor: number;
  /** The page's own network, or Lanczos' kernel, which everybody has. */
  readonly by: "network" | "lanczos";
}

/** A PNG that a run can go on from. */
export interface EnlargedImage {
  readonly image: Blob;
  readonly width: number;
  readonly height: number;
  /** As a request names it. */
  readonly upscaler: string;
}

/** A picture whose edges the model's own ControlNet draws along. */
export interface ControlOrder {
  readonly image: Blob;
  /** `canny`: a photo, whose edges are found; `none`: it shows them, white on black. */
  readonly preprocess: "none" | "canny";
  readonly scale: number;
}

/** A LoRA's file. */
export interface LoraOrder {
  readonly file: Blob;
  readonly scale: number;
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
  /** What it was made from: whoever checks it needs them. */
  readonly inputs: InputBlobs;
  /** Of its steps, with which they can be checked without this tab. */
  readonly transcript: Blob;
  readonly seconds: number;
  readonly compute: string;
  /** Bytes of the model that were fetched to open it. */
  readonly fetched: number;
}
