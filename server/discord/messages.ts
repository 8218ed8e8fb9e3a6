import { AppError, type ErrorCode } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";
import { type Action, type ButtonIds } from "./button_id.ts";

/** @see https://discord.com/developers/docs/resources/message */
export interface MessageBody {
  readonly content?: string;
  readonly embeds?: readonly unknown[];
  readonly components?: readonly unknown[];
  readonly attachments?: readonly unknown[];
  readonly flags?: number;
  /** Nobody is called by what somebody wrote. */
  readonly allowed_mentions: { readonly parse: readonly never[] };
}

/** How an interaction is answered at once. */
export interface Answer {
  readonly type: number;
  readonly data?: unknown;
}

/** For who asked alone. */
const EPHEMERAL = 64;
const [PONG_TYPE, MESSAGE, DEFERRED, FORM] = [1, 4, 5, 9];
const [ROW, BUTTON, TEXT_INPUT] = [1, 2, 4];
const GREY = 2;
/** Characters of a message. */
const MAX_CONTENT = 2000;
const LABELS: Readonly<Record<Action, string>> = {
  again: "Again",
  upscale: "Upscale",
  remix: "Remix",
  publish: "Publish",
  proof: "Proof",
};
/** Characters of a prompt, as Discord's form lets them in; more are escaped in an embed. */
export const MAX_PROMPT = 1000;

/** What to do, where the message does not say it: remedies of an API are for programmers. */
const REMEDIES: Partial<Record<ErrorCode, string>> = {
  content_blocked: "Ask for something else here.",
  job_not_found: "Images are kept for some days only: make a new one.",
};

export const PONG: Answer = { type: PONG_TYPE };

/** Later: "is thinking" until the answer is edited. */
export function deferred({ secretly }: { readonly secretly: boolean }): Answer {
  return { type: DEFERRED, ...(secretly && { data: { flags: EPHEMERAL } }) };
}

/** At once, to who asked. */
export function whisper(text: string): Answer {
  return { type: MESSAGE, data: secret(message(text)) };
}

/** For who asked alone. */
export function secret(body: MessageBody): MessageBody {
  return { ...body, flags: EPHEMERAL };
}

export function message(content: string): MessageBody {
  return { content: content.slice(0, MAX_CONTENT), allowed_mentions: { parse: [] } };
}

/** A form that asks what a remix is to be. */
export function remixForm(id: string): Answer {
  const prompt = {
    ...{ type: TEXT_INPUT, custom_id: "prompt", label: "What it is to become", style: 2 },
    ...{ required: true, min_length: 1, max_length: MAX_PROMPT },
  };
  const strength = {
    ...{ type: TEXT_INPUT, custom_id: "strength", label: "How much changes, 0.1 to 1", style: 1 },
    ...{ required: false, max_length: 5, placeholder: "0.6" },
  };
  const components = [prompt, strength].map((input) => ({ type: ROW, components: [input] }));
  return { type: FORM, data: { custom_id: id, title: "Remix", components } };
}

/** What can be done next. @param actions those that work here. */
export function buttonRow(
  ids: ButtonIds,
  { job, user }: { readonly job: string; readonly user: string },
  actions: readonly Action[],
): unknown {
  return {
    type: ROW,
    components: actions.map((action) => ({
      ...{ type: BUTTON, style: GREY, label: LABELS[action] },
      custom_id: ids.write({ action, job, user }),
    })),
  };
}

/** What somebody wrote, without what Discord takes as markup, links included. */
export function escaped(text: string): string {
  return text.replace(/[\\*_~`|>#\-\[\]()<:@]/g, (sign) => `\\${sign}`);
}

/** An error as people understand it. */
export function sentenceFor(error: unknown): string {
  if (!(error instanceof AppError)) return "Something is wrong here, and it is not your fault.";
  if (error instanceof RetryLater) {
    return `${plain(error.message)} Try again in ${waitText(error.seconds)}.`;
  }
  return [plain(error.message), REMEDIES[error.code] ?? ""].join(" ").trim();
}

function plain(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function waitText(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole < 90 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}
