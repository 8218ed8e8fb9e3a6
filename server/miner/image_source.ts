import type { GenerationRequest } from "../../core/request/mod.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import type { SourceImages, StepProgress } from "../../core/generation/mod.ts";
import type {
  GenerationCall,
  ImageAnswer,
  InputFiles,
  MinerInfo,
} from "../../core/protocol/mod.ts";
import type { OpeningTarget, Receipt } from "../../core/transcript/mod.ts";
import type { Job } from "./job_queue.ts";

/** A request to be served. */
export interface GenerationTask {
  readonly request: GenerationRequest;
  /** The files that it names, as they came. */
  readonly inputs: InputFiles;
  /** The same as an engine takes them; undefined where another server decodes them. */
  readonly source?: SourceImages;
  readonly format: ImageFormat;
  /** SS58 of the caller. */
  readonly validator: string;
  /** Whether pictures come with the steps. */
  readonly previews: boolean;
  /** Previews are of this request's images alone. */
  readonly onStep: (progress: StepProgress) => void;
}

/** A request that can be made, and what it starts from. */
export type SourcedRequest = Pick<GenerationTask, "request" | "source">;

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
  requestOf(call: GenerationCall, inputs: InputFiles): Promise<SourcedRequest>;
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
  /** A file that the receipt's request names, by its hash. */
  input(id: string, sha256: string): Promise<Uint8Array<ArrayBuffer>>;
  forget(id: string): Promise<void>;
  /** Finishes what runs, hands back what waits. */
  close(): Promise<void>;
}

/** An encoded image. */
export interface ImageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
}
