import type { Receipt } from "../../../core/transcript/mod.ts";
import type { EngineApi, GenerateOrder, Picture, ReceiptLink } from "./api.ts";

/** The name of the error that a job is gone, or another key's, as it crosses to the page. */
export const JOB_NOT_FOUND = "job_not_found";

/** A validator that takes jobs, and the key that it knows its user by. */
export interface GatewayAccess {
  /** The folder that its paths are relative to. */
  readonly url: string;
  readonly key: string;
}

/** What a gateway says of a key. */
export interface KeyFacts {
  readonly name: string;
  /** Images that were made with it today. */
  readonly today: number;
  /** A day; undefined where there is no limit. */
  readonly imagesPerDay: number | undefined;
}

/** What is asked of a gateway; it has its own model, and computes for itself. */
export type JobOrder = Omit<GenerateOrder, "model" | "compute" | "loras">;

/** What happens to the images of an order, by their number. */
export type OrderEvent =
  | { readonly kind: "queued"; readonly position: number; readonly waitSeconds: number | undefined }
  | {
    readonly kind: "step";
    readonly n: number;
    readonly step: number;
    readonly steps: number;
    /** The image as far as it is; a data URL of a miner's. */
    readonly preview?: Picture | string;
  }
  | { readonly kind: "made"; readonly n: number; readonly image: JobImage }
  | { readonly kind: "failed"; readonly n: number; readonly why: string };

/** An image that a miner made, with what opens its steps. */
export interface JobImage {
  readonly receipt: Receipt;
  readonly link?: ReceiptLink;
  /** The file as it was served: it says where it came from. */
  readonly image: Blob;
  /** Sentences for the user. */
  readonly notices: readonly string[];
}

/** What the page asks of its worker about a validator's jobs. */
interface JobsApi {
  /** Whose a key is. */
  readKey(access: GatewayAccess): Promise<KeyFacts>;
  /** @returns the job's id. @param once the same for each try of one order. */
  submitJob(access: GatewayAccess, order: JobOrder, count: number, once: string): Promise<string>;
  /** Reports what happens to a job, until it has ended. */
  watchJob(
    access: GatewayAccess,
    id: string,
    onEvent: (event: OrderEvent) => void,
  ): Promise<void>;
  cancelJob(access: GatewayAccess, id: string): Promise<void>;
}

/** All that the page asks of its worker. */
export type WorkerApi = EngineApi & JobsApi;
