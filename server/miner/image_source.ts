import type { GenerationRequest } from "../../core/request/mod.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import type { StepProgress } from "../../core/generation/mod.ts";
import type { GenerationCall, ImageAnswer, MinerInfo } from "../../core/protocol/mod.ts";
import type { OpeningTarget, Receipt } from "../../core/transcript/mod.ts";
import type { Job } from "./job_queue.ts";

/** A request to be served. */
export interface GenerationTask {
  readonly request: GenerationRequest;
  readonly format: ImageFormat;
  /** SS58 of the caller. */
  readonly validator: string;
  /** Whether pictures come with the steps. */
  readonly previews: boolean;
  /** Previews are of this request's images alone. */
  readonly onStep: (progress: StepProgress) => void;
}

/** Images made. */
export interface Made {
  readonly images: readonly ImageAnswer[];
  readonly notices: readonly string[];
}

/** Where a miner's images come from: the engine of this process, or other servers. */
export interface ImageSource {
  readonly compute: string;
  readonly models: MinerInfo["models"];
  capacity(): MinerInfo["capacity"];
  /** The servers that compute, where it is not this process. */
  generators?(): readonly { readonly url: string; readonly up: boolean }[];
  /** How many workers of a cluster compute, where they do. */
  workers?(): number;
  /** Why it can make none now, as a sentence. */
  problem?(): string | undefined;
  /** @throws AppError `invalid_request`, before the request waits for anything. */
  requestOf(call: GenerationCall): GenerationRequest;
  /** @throws as `JobQueue.run`. */
  run(job: Job<GenerationTask>): Promise<Made>;
  /** @returns whether this owner had such a job. */
  cancel(id: string, owner: string): boolean | Promise<boolean>;
  /** Whether the token is the receipt's. */
  opens(token: string, id: string): Promise<boolean>;
  /** @throws AppError `transcript_not_found`, as all that follow. */
  receipt(id: string): Promise<Receipt>;
  /** @throws AppError also `challenge_invalid`. */
  open(id: string, target: OpeningTarget): Promise<Uint8Array>;
  image(id: string): Promise<ImageFile>;
  forget(id: string): Promise<void>;
  /** Finishes what runs, hands back what waits. */
  close(): Promise<void>;
}

/** An encoded image. */
export interface ImageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
}
