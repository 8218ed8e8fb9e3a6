import type { ImageFormat } from "../../../core/image/mod.ts";
import type { Refinement } from "../../../core/protocol/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { ApiKey, MadeRecord, Once } from "../store/mod.ts";
import type { Progress } from "./job_event.ts";

/** How an image is made. */
export interface Making {
  readonly signal: AbortSignal;
  readonly onStep: (progress: Progress) => void;
  /** Whether its user may see what nobody has looked at: small pictures while it is made. */
  readonly previews: boolean;
  /** Files that the request names, by their SHA-256. */
  readonly inputs: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Who asked for it, of `ApiKey.id`. */
  readonly owner: string;
  /** Of an image that is then enlarged and drawn anew. */
  readonly refinement?: Refinement;
}

/** An image, and what it takes to check it. */
export interface Made {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly record: MadeRecord;
  /** To be called when its user may have it. */
  readonly shown?: () => void;
}

/**
 * Makes one image of a complete request.
 * @throws RetryLater where another try may help; AppError for what no miner can make, and for what
 * must not be shown.
 */
export type Make = (
  request: GenerationRequest,
  format: ImageFormat,
  making: Making,
) => Promise<Made>;

/** What a key asks for at once. */
export interface Order {
  readonly owner: ApiKey;
  /** One image each, complete, and such as the model can make. */
  readonly requests: readonly GenerationRequest[];
  readonly format: ImageFormat;
  /** Files that the requests name, by their SHA-256; those that it gave before are known. */
  readonly inputs?: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** An address that is called when it has ended. */
  readonly webhook?: string;
  /** Each image is then enlarged and drawn anew: two runs. */
  readonly refinement?: Refinement;
  readonly once?: Once;
}

/** What bounds the jobs of a gateway. */
export interface JobsOptions {
  /** Images that are made at the same time. */
  readonly parallel: number;
  /** Images that have not ended, of all keys. */
  readonly queue: number;
  /** Milliseconds that jobs are kept after their end. */
  readonly keepMs: number;
  /** Milliseconds for which an image is tried again where miners have no room. */
  readonly patienceMs: number;
}

export const DEFAULT_JOBS: JobsOptions = {
  parallel: 16,
  queue: 20_000,
  keepMs: 72 * 3600 * 1000,
  patienceMs: 15 * 60 * 1000,
};
