import { AppError } from "../../core/error.ts";
import {
  checkRequestTime,
  checkSignedBody,
  MAX_REQUEST_AGE,
  readSignedHeaders,
  type SignedHeaders,
} from "../../core/protocol/mod.ts";
import { sha256Of } from "../storage/mod.ts";
import { readBody } from "./bounded_body.ts";
import { RetryLater } from "./error_response.ts";
import { sourceAddress } from "./source_address.ts";
import type { LoopLag } from "./loop_lag.ts";
import { RateLimit } from "./rate_limit.ts";

/** Requests that were used: none is taken twice. */
export interface UsedRequests {
  /** @throws AppError `request_replayed`. */
  use(headers: SignedHeaders, now: number): void | Promise<void>;
}

/** A request that its caller signed, for us, now, and once. */
export interface SignedRequest {
  /** SS58. */
  readonly signedBy: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Wrong signatures of one address in a minute: to see through each costs milliseconds of everybody's. */
const WRONG_SIGNATURES = 20;
const WRONG_MS = 60_000;

/** Milliseconds that may have made an honest request too old: its way took some of the time too. */
const NOTABLE_LAG_MS = 2000;

/** Lets signed requests in, the cheapest checks first. */
export class RequestGuard {
  /** SS58 of the hotkey that requests have to be for. */
  readonly self: string;
  readonly #replay: UsedRequests;
  readonly #clock: () => number;
  readonly #wrong: RateLimit;
  readonly #lag: Pick<LoopLag, "recent"> | undefined;

  /** @param lag separates requests that came too late from those that waited here. */
  constructor(
    self: string,
    replay: UsedRequests,
    clock: () => number = Date.now,
    lag?: Pick<LoopLag, "recent">,
  ) {
    this.self = self;
    this.#replay = replay;
    this.#clock = clock;
    this.#lag = lag;
    this.#wrong = new RateLimit("ask with wrong signatures", WRONG_SIGNATURES, WRONG_MS, clock);
  }

  /**
   * @param allowed asked before the body is read: a caller that may not ask costs nothing more.
   * @throws AppError `request_unsigned`, `request_stale`, `request_too_large`, `request_late`,
   * `signature_invalid`, `request_replayed`, or what `allowed` throws; RetryLater `not_ready` for one
   * that grew too old while it waited here, `rate_limited` after too many wrong signatures of the
   * address that it came from.
   */
  async take(
    request: Request,
    maxBytes: number,
    allowed: (signedBy: string) => void = () => {},
  ): Promise<SignedRequest> {
    const headers = this.#inTime(() =>
      readSignedHeaders(request.headers, this.self, this.#clock())
    );
    const source = sourceAddress(request);
    this.#wrong.check(source);
    allowed(headers.signedBy);
    const body = await readBody(request, maxBytes);
    // The body took its time, and uuids are forgotten when no request could be that old.
    const now = this.#clock();
    this.#inTime(() => checkRequestTime(headers, now));
    this.#wrong.check(source);
    try {
      checkSignedBody(headers, body, sha256Of);
    } catch (error) {
      this.#wrong.count(source);
      throw error;
    }
    await this.#replay.use(headers, now);
    return { signedBy: headers.signedBy, body };
  }

  #inTime<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      const stale = error instanceof AppError && error.code === "request_stale";
      const lag = this.#lag?.recent ?? 0;
      if (!stale || lag < NOTABLE_LAG_MS) throw error;
      const seconds = (lag / 1000).toFixed(1);
      throw new RetryLater(
        "not_ready",
        `Cannot take the request: this server was busy for ${seconds} s, and requests are taken up ` +
          `to ${MAX_REQUEST_AGE / 1000} s after they were signed; sign it again`,
        1,
        { cause: error },
      );
    }
  }
}
