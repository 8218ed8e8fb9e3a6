import { AppError, reason } from "../../core/error.ts";
import { errorFacts } from "../../core/error_codes.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import {
  addressOf,
  type CallBody,
  callBody,
  decodeGenerationAnswer,
  type GenerationProgress,
  type ImageAnswer,
  imageOfMiner,
  type InputFiles,
  minerAddress,
  PATHS,
  type Score,
  signedHeaders,
} from "../../core/protocol/mod.ts";
import { MAX_CLOCK_SKEW_MS, signWitness, type Witness } from "../../core/transcript/mod.ts";
import {
  type CheckedImage,
  type CheckedStatement,
  checkImage,
  checkNew,
  checkStatement,
} from "../../core/verifier/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import { EVENT_STREAM } from "../http/mod.ts";
import { sha256Of } from "../storage/mod.ts";
import { answerOf, MinerBusy, Refusal } from "./miner_answer.ts";
import type { Peer } from "./peers.ts";

/** A miner that refused, by an answer that says why. */
export class MinerRefused extends AppError {
  /** @param said the code of its error, or else its status. */
  constructor(message: string, readonly said: string, options: { readonly cause: unknown }) {
    super("miner_failed", message, options);
  }
}

/** A miner whose answer is not what it was asked for, or not what it signed: as good as a proof. */
export class MinerForged extends AppError {
  /** As a check of its steps would have scored it. */
  get score(): Score {
    const none = { similarity: 0, velocityError: null, worst: null };
    return { verdict: "invalid", ...none, reasons: [this.message] };
  }
}

/** A request for one image, complete, as `encodeRequest` writes it. */
export interface Asked {
  readonly request: Readonly<Record<string, unknown>>;
  readonly format: ImageFormat;
  /** The files that the request names; none for one that names none. */
  readonly inputs?: InputFiles;
  /** `manifestHash` that the model should have, where the caller knows it. */
  readonly manifest?: string;
  /** Milliseconds until the receipt is here. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Gets the steps that are done; without it the miner is not asked for them. */
  readonly onStep?: (progress: GenerationProgress) => void;
  /** Whether small pictures come with the steps. */
  readonly previews?: boolean;
}

/** An answer whose receipt is the miner's own, of the request that was sent. */
export interface CheckedAnswer extends ImageAnswer {
  readonly statement: CheckedStatement;
  /** That it came before a block; undefined where the chain is not seen. */
  readonly witness?: Witness;
}

/** The newest block, as receipts are witnessed by it. */
export type SeenBlock = () => Promise<Witness["block"] | undefined>;

const FORGET_MS = 5000;

/** Calls miners, signed, and checks at once all that it can. */
export class MinerCaller {
  readonly #hotkey: Hotkey;
  readonly #clock: () => number;
  readonly #seenBlock: SeenBlock;
  readonly #open = new Map<string, number>();

  constructor(
    hotkey: Hotkey,
    clock: () => number = Date.now,
    seenBlock: SeenBlock = () => Promise.resolve(undefined),
  ) {
    this.#hotkey = hotkey;
    this.#clock = clock;
    this.#seenBlock = seenBlock;
  }

  /**
   * @returns the answer, whose receipt is signed by this miner, for us, for this very request, and
   * witnessed by the block that is the newest now.
   * @throws MinerBusy for an honest 429 or 503; MinerRefused for another status than 200;
   * MinerForged for a receipt of something else;
   * AppError `cancelled` by the caller's signal, `miner_failed` for all else that a miner can do
   * wrong.
   */
  async generate(peer: Peer, asked: Asked): Promise<CheckedAnswer> {
    const { hotkey } = peer;
    this.#open.set(hotkey, 1 + this.open(hotkey));
    try {
      return await this.#generate(peer, asked);
    } finally {
      const left = this.open(hotkey) - 1;
      if (left > 0) this.#open.set(hotkey, left);
      else this.#open.delete(hotkey);
    }
  }

  /** Images that a miner is making for us now. */
  open(hotkey: string): number {
    return this.#open.get(hotkey) ?? 0;
  }

  async #generate(peer: Peer, asked: Asked): Promise<CheckedAnswer> {
    const { request, format, inputs, manifest, timeoutMs, signal, onStep } = asked;
    const previews = onStep && asked.previews ? true : undefined;
    const late = AbortSignal.timeout(timeoutMs);
    const started = this.#clock();
    try {
      const response = await this.#send(peer, "POST", addressOf(peer.url, PATHS.generations, {}), {
        body: callBody({ request, format, previews }, inputs),
        signal: signal ? AbortSignal.any([late, signal]) : late,
        accept: onStep ? EVENT_STREAM : "application/json",
      });
      const json = await answerOf(response, onStep, previews);
      const { images: [image, ...more] } = decodeGenerationAnswer(json);
      if (more.length > 0) throw new Error(`${1 + more.length} images came for one`);
      const { receipt } = image;
      const statement = checkStatement(receipt, {
        ...{ request, miner: peer.hotkey, validator: this.#hotkey.address },
        now: this.#clock() + MAX_CLOCK_SKEW_MS,
      });
      checkNew(statement);
      // The request does not name a model: the miner has another version or variant, and says so.
      if (manifest !== undefined && receipt.model.manifest !== manifest) {
        throw new Error(`its model is not this validator's: ${receipt.model.id}`);
      }
      if (receipt.times.finished < started - MAX_CLOCK_SKEW_MS) {
        throw new Error("the receipt is older than the request");
      }
      if (receipt.image.mediaType !== `image/${format}`) throw new Error(`it is no ${format}`);
      const { quality } = receipt.image;
      if (quality !== undefined) throw new Error(`its quality is ${quality}, not the usual one`);
      const block = await this.#seenBlock();
      const witness = block && await signWitness(statement.id, block, this.#hotkey);
      return { ...image, id: statement.id, statement, ...(witness && { witness }) };
    } catch (cause) {
      if (cause instanceof MinerBusy) throw cause;
      if (signal?.aborted) {
        throw new AppError("cancelled", "Cannot generate: it was cancelled", { cause });
      }
      const why = late.aborted ? `no whole answer within ${timeoutMs / 1000} s` : reason(cause);
      throw failure(peer, cause, why);
    }
  }

  /**
   * The file of an answer, by its token.
   * @throws MinerForged for another file than the receipt's; AppError `miner_failed`.
   */
  async image(
    peer: Peer,
    { id, receipt, token }: ImageAnswer,
    timeoutMs: number,
  ): Promise<CheckedImage> {
    try {
      const image = await imageOfMiner(minerAddress(peer.url, timeoutMs, token), receipt, id);
      return checkImage({ receipt }, image);
    } catch (cause) {
      throw failure(peer, cause, reason(cause));
    }
  }

  /** Frees what the miner keeps for a receipt. A failure is only the miner's loss. */
  async forget(peer: Peer, receipt: string): Promise<void> {
    const signal = AbortSignal.timeout(FORGET_MS);
    const address = addressOf(peer.url, PATHS.generation, { id: receipt });
    try {
      const response = await this.#send(peer, "DELETE", address, { signal });
      await response.body?.cancel();
    } catch {
      // It ages out.
    }
  }

  async #send(
    { hotkey }: Peer,
    method: string,
    address: URL,
    { body, accept = "application/json", signal }: {
      readonly body?: CallBody;
      readonly accept?: string;
      readonly signal: AbortSignal;
    },
  ): Promise<Response> {
    const bytes = body?.bytes ?? new Uint8Array();
    const signed = await signedHeaders(
      { body: bytes, signedFor: hotkey, now: this.#clock(), uuid: crypto.randomUUID() },
      this.#hotkey,
      sha256Of,
    );
    const headers = { ...signed, accept, ...(body && { "content-type": body.type }) };
    return await fetch(address, {
      ...{ method, signal, redirect: "error", headers },
      ...(body && { body: bytes }),
    });
  }
}

function failure({ uid }: Peer, cause: unknown, why: string): AppError {
  const message = `Cannot use the answer of uid ${uid}: ${why}`;
  if (cause instanceof Refusal) return new MinerRefused(message, cause.said, { cause });
  const forged = cause instanceof AppError && errorFacts(cause.code).forgery;
  const Failure = forged ? MinerForged : AppError;
  return new Failure("miner_failed", message, { cause });
}
