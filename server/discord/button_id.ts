import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../../core/error.ts";

/** What can be done with an image that was made. */
export const ACTIONS = ["again", "upscale", "remix", "publish", "proof"] as const;

export type Action = typeof ACTIONS[number];

/** What a button is for. Nothing of it is kept here: the button says it, and the job has the rest. */
export interface Button {
  readonly action: Action;
  /** The gateway's job. */
  readonly job: string;
  /** Discord's id of who had the image made; of a form, of who opened it. */
  readonly user: string;
}

/** Bytes of a code: guessing one takes 2^96 presses. With it an id is within Discord's 100 characters. */
const CODE_BYTES = 12;

/** Ids of buttons and forms, which only this bot can write. */
export class ButtonIds {
  readonly #secret: string;

  /** @param secret the gateway's key: with another one the jobs are out of reach as well. */
  constructor(secret: string) {
    this.#secret = secret;
  }

  write({ action, job, user }: Button): string {
    const text = `${action}:${job}:${user}`;
    return `${text}:${this.#code(text).toString("base64url")}`;
  }

  /** @throws AppError `not_allowed` for one that this bot did not write. */
  read(id: string): Button {
    const [action, job = "", user = "", code = ""] = id.split(":");
    const known = ACTIONS.find((each) => each === action);
    const given = new TextEncoder().encode(code);
    const right = this.#code(`${action}:${job}:${user}`).toString("base64url");
    const expected = new TextEncoder().encode(right);
    const same = given.length === expected.length && timingSafeEqual(given, expected);
    if (known && same && id === `${known}:${job}:${user}:${right}`) {
      return { action: known, job, user };
    }
    throw new AppError(
      "not_allowed",
      "Cannot do it: the button is not of this bot, or older than its key",
    );
  }

  #code(text: string) {
    return createHmac("sha256", this.#secret).update(`stepwise discord button\n${text}`).digest()
      .subarray(0, CODE_BYTES);
  }
}
