import { checkRequestTime, checkSignedBody, readSignedHeaders } from "../../core/protocol/mod.ts";
import { readBody } from "./bounded_body.ts";
import type { ReplayWindow } from "./replay_window.ts";

/** A request that somebody signed, for us, now, and once. */
export interface SignedRequest {
  /** SS58. */
  readonly signedBy: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Lets signed requests in, the cheapest checks first. */
export class RequestGuard {
  /** SS58 of the hotkey that requests have to be for. */
  readonly self: string;
  readonly #replay: ReplayWindow;
  readonly #clock: () => number;

  constructor(self: string, replay: ReplayWindow, clock: () => number = Date.now) {
    this.self = self;
    this.#replay = replay;
    this.#clock = clock;
  }

  /**
   * @param allowed asked before the body is read: a caller that may not ask costs nothing more.
   * @throws AppError `request_unsigned`, `request_stale`, `request_too_large`, `request_late`,
   * `signature_invalid`, `request_replayed`, or what `allowed` throws.
   */
  async take(
    request: Request,
    maxBytes: number,
    allowed: (signedBy: string) => void = () => {},
  ): Promise<SignedRequest> {
    const headers = readSignedHeaders(request.headers, this.self, this.#clock());
    allowed(headers.signedBy);
    const body = await readBody(request, maxBytes);
    // The body took its time, and uuids are forgotten when no request could be that old.
    const now = this.#clock();
    checkRequestTime(headers, now);
    checkSignedBody(headers, body);
    this.#replay.use(headers, now);
    return { signedBy: headers.signedBy, body };
  }
}
