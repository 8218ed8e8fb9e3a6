import { AppError, reason } from "../../core/error.ts";
import { errorFacts } from "../../core/error_codes.ts";
import { MAX_INPUT_BYTES } from "../../core/image/mod.ts";
import { MAX_RECEIPT_BYTES, receiptFromJson } from "../../core/transcript/mod.ts";
import { committedFile } from "../../core/verifier/mod.ts";
import { attached } from "./attachments.ts";
import type { BotParts } from "./bot_parts.ts";
import { type Action, ACTIONS, type Button } from "./button_id.ts";
import { checkedText } from "./checking.ts";
import type { ContentService } from "./content_service.ts";
import type { Interaction } from "./interaction.ts";
import { showMaking } from "./making.ts";
import {
  type Answer,
  deferred,
  escaped,
  message,
  PONG,
  remixForm,
  secret,
  sentenceFor,
  whisper,
} from "./messages.ts";
import {
  again,
  dataUrl,
  type MadeImage,
  madeOf,
  remixOf,
  strengthOf,
  upscaled,
  type Wanted,
  wantedOf,
} from "./orders.ts";
import { proofMessage } from "./proof.ts";
import { UserLimits } from "./user_limits.ts";

/** The part of the 15 minutes that leaves time to say that it was not enough. */
export const ANSWER_MS = 14.5 * 60 * 1000;

type Work = (signal: AbortSignal) => Promise<void>;

/** Bottensor: answers interactions at once, and goes on behind its answers. */
export class Bot implements AsyncDisposable {
  readonly #parts: BotParts;
  readonly #limits: UserLimits;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: BotParts) {
    this.#parts = parts;
    this.#limits = new UserLimits(parts.limits);
  }

  /** At once: what takes longer follows. */
  answer(interaction: Interaction): Answer {
    try {
      switch (interaction.kind) {
        case "ping":
          return PONG;
        case "command":
          return this.#command(interaction);
        case "button":
          return this.#button(interaction, this.#parts.ids.read(interaction.name));
        case "form":
          return this.#form(interaction, this.#parts.ids.read(interaction.name));
      }
    } catch (error) {
      this.#note(error);
      return whisper(sentenceFor(error));
    }
  }

  /** When all that runs now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** What is being made is given up, and who waits for it is told. */
  async [Symbol.asyncDispose](): Promise<void> {
    const why = "the bot is being restarted; ask again in a minute";
    this.#stop.abort(new AppError("cancelled", `Cannot go on: ${why}`));
    await this.settled();
  }

  #command(interaction: Interaction): Answer {
    switch (interaction.name) {
      case "create":
        return this.#make(interaction, wantedOf(interaction));
      case "remix":
        return this.#remixFile(interaction);
      case "verify":
        return this.#later(interaction, (signal) => this.#verify(interaction, signal), true);
      case "top":
        return this.#top(interaction);
    }
    throw new AppError("invalid_request", "Cannot do it: the command is not known here any more");
  }

  #button(interaction: Interaction, { action, job, user }: Button): Answer {
    const { images, ids } = this.#parts;
    const made = async (signal: AbortSignal) => madeOf(await images.job(job, signal));
    switch (action) {
      case "again":
        return this.#make(interaction, async (signal) => again(await made(signal)));
      case "upscale":
        return this.#make(interaction, async (signal) => {
          const image = await made(signal);
          return await upscaled(image, await images.image(job, signal));
        });
      case "remix":
        return remixForm(ids.write({ action, job, user: interaction.user }));
      case "publish":
        this.#checkOwner(interaction, user);
        return this.#later(interaction, async (signal) => {
          await this.#publish(interaction, await made(signal), job, signal);
        }, true);
      case "proof":
        return this.#later(interaction, async (signal) => {
          const { body, file } = proofMessage(await made(signal), this.#parts.pages);
          await this.#parts.rest.edit(interaction.token, body, [file], { signal });
        }, true);
    }
  }

  #form(interaction: Interaction, { action, job, user }: Button): Answer {
    if (action !== "remix" || user !== interaction.user) {
      throw new AppError("not_allowed", "Cannot do it: somebody else opened this form");
    }
    const { images } = this.#parts;
    const prompt = String(interaction.options.get("prompt") ?? "");
    const wanted = { prompt, strength: strengthOf(interaction) };
    this.#screen(interaction).request({ prompt, prompt2: "" });
    return this.#make(interaction, async (signal) => {
      const { id } = madeOf(await images.job(job, signal));
      return remixOf({ id }, await images.image(job, signal), wanted);
    });
  }

  #remixFile(interaction: Interaction): Answer {
    const wanted = { ...wantedOf(interaction), strength: strengthOf(interaction) };
    this.#screen(interaction).request(promptsOf(wanted));
    const { fileOrigins } = this.#parts;
    return this.#make(interaction, async (signal) => {
      const file = interaction.files.get("image");
      const image = await attached(file, MAX_INPUT_BYTES, fileOrigins, signal);
      return { ...wanted, image: dataUrl(image) };
    });
  }

  /** @param given the request, or what finds it: behind the answer, for that takes its time. */
  #make(
    interaction: Interaction,
    given: Wanted | ((signal: AbortSignal) => Promise<Wanted>),
  ): Answer {
    const screen = this.#screen(interaction);
    if (typeof given !== "function") screen.request(promptsOf(given));
    const held = this.#limits.take(interaction.user);
    return this.#later(interaction, async (signal) => {
      using _held = held;
      const wanted = typeof given === "function" ? await given(signal) : given;
      // A button may stand in a channel that was one for adults before.
      screen.request(promptsOf(wanted));
      await showMaking(
        interaction,
        wanted,
        { ...this.#parts, screen, actions: this.#actions },
        signal,
      );
    });
  }

  /** In channels for adults the gateway's key decides; else nothing of the kind is made or shown. */
  #screen({ adult }: Interaction) {
    return this.#parts.safety.under(adult ? "off" : "block");
  }

  get #actions(): readonly Action[] {
    return ACTIONS.filter((action) => action !== "publish" || this.#parts.content);
  }

  #checkOwner(interaction: Interaction, owner: string): void {
    if (interaction.user === owner) return;
    throw new AppError("not_allowed", "Cannot publish: only who had the image made may do it");
  }

  async #publish(
    { token }: Interaction,
    { receipt, request, token: opening }: MadeImage,
    job: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { images, rest } = this.#parts;
    const image = committedFile(receiptFromJson(receipt), await images.image(job, signal));
    const caption = String(request.prompt ?? "").slice(0, MAX_CAPTION).toWellFormed();
    const submission = { receipt, image, caption, token: opening };
    const { url } = await this.#content().publish(submission, signal);
    await rest.edit(token, message(`Published: <${url}>`), [], { signal });
  }

  #content(): ContentService {
    const { content } = this.#parts;
    if (content) return content;
    throw new AppError(
      "not_allowed",
      "Cannot do it: this bot knows no place for published pictures",
    );
  }

  async #verify(interaction: Interaction, signal: AbortSignal): Promise<void> {
    const { fileOrigins, rest, limits } = this.#parts;
    const [receipt, image] = ["receipt", "image"].map((name) => interaction.files.get(name));
    const file = await attached(receipt, 2 * MAX_RECEIPT_BYTES, fileOrigins, signal);
    const picture = image && await attached(image, MAX_INPUT_BYTES, fileOrigins, signal);
    const text = checkedText(file, picture, limits.now());
    await rest.edit(interaction.token, message(text), [], { signal });
  }

  #top(interaction: Interaction): Answer {
    const content = this.#content();
    return this.#later(interaction, async (signal) => {
      const pieces = await content.top(signal);
      const lines = pieces.map(({ caption, url, points }, k) =>
        `${k + 1}. [${escaped(caption.slice(0, MAX_TITLE)) || "without words"}](<${
          new URL(url).href
        }>), ` +
        `${points.toFixed(2)} points`
      );
      const text = lines.join("\n") || "Nothing is published yet.";
      await this.#parts.rest.edit(interaction.token, message(text), [], { signal });
    });
  }

  #later(interaction: Interaction, work: Work, secretly = false): Answer {
    const limit = AbortSignal.timeout(this.#parts.answerMs);
    const signal = AbortSignal.any([this.#stop.signal, limit]);
    const running = work(signal).catch((error) => {
      return this.#explain(interaction, limit.aborted ? TOO_LATE : error, secretly);
    }).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return deferred({ secretly });
  }

  async #explain({ token }: Interaction, error: unknown, secretly: boolean): Promise<void> {
    const { rest } = this.#parts;
    this.#note(error);
    const said = message(sentenceFor(error));
    await (secretly ? rest.edit(token, said) : rest.whisperInstead(token, secret(said)))
      .catch((failure) => this.#note(failure));
  }

  /** What is nobody's mistake in Discord is for the operator. */
  #note(error: unknown): void {
    const code = error instanceof AppError ? error.code : "internal";
    const ours = !(error instanceof AppError) ||
      ["operator", "us", "network"].includes(errorFacts(error.code).blame);
    this.#parts.log("interaction refused", { code, why: reason(error) }, ours ? "warn" : "debug");
  }
}

const TOO_LATE = new AppError(
  "cancelled",
  "Cannot go on: it takes longer than the 15 minutes that Discord waits; ask for fewer steps",
);
/** Characters of a caption, and of one in a list. */
const [MAX_CAPTION, MAX_TITLE] = [500, 80];

function promptsOf({ prompt, prompt2 }: Wanted) {
  return { prompt: String(prompt ?? ""), prompt2: String(prompt2 ?? "") };
}
