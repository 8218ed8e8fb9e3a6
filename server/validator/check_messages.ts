import { z } from "zod";
import { parseJsonText } from "../../core/json_text.ts";
import { decodeScoreCall, scoreSchema } from "../../core/protocol/mod.ts";
import { inputsOf } from "../../core/request/mod.ts";
import type { AnswerToScore } from "./scorer.ts";

/** What a validator's processes and scorers say to each other in a cluster. */

/** Seconds for which an outcome, and the files of a request, wait for who asked. */
export const CHECK_SECONDS = 3600;
/** The table of outcomes, each written once, by the check's id. */
export const SCORES = "scores";
/** The store of files that requests name, by the check's id and their hashes. */
export const FILES = "check_files";
/** The store in which scorers leave what their model is. */
export const RULES = "scorer_rules";
export const RULES_SECONDS = 90 * 24 * 3600;

/** Checks of one validator for one model: a scorer of both can make them. */
export function checksOf(address: string, manifest: string): string {
  return `checks_${address}_${manifest}`;
}

/** The subject on which a check's outcome is said. */
export function scoreSubject(id: string): string {
  return `score.${id}`;
}

const answered = z.object({ id: z.string().max(64), hotkey: z.string(), work: z.number() });

/** A check, and when it was asked for, by the clock of who asked: milliseconds since 1970. */
interface AskedCheck {
  readonly answer: AnswerToScore;
  readonly asked: number;
}

/** @returns without the files, which go by themselves. */
export function encodeCheck(
  { receipt, url, token, answered }: AnswerToScore,
  asked = Date.now(),
): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ receipt, url, token, answered, asked }));
}

/** @throws AppError, ZodError for what is none. */
export function decodeCheck(bytes: Uint8Array): AskedCheck {
  const { answered: of, asked, ...call } = Object(parseJsonText(new TextDecoder().decode(bytes)));
  const answer = { ...decodeScoreCall(call), answered: answered.optional().parse(of) };
  return { answer, asked: z.number().parse(asked) };
}

/** Hashes of the files that it starts from. */
export function filesOf({ receipt }: Pick<AnswerToScore, "receipt">): string[] {
  return inputsOf(receipt.request).map(({ sha256 }) => sha256);
}

const outcome = z.union([
  z.object({ score: scoreSchema }),
  z.object({ failed: z.string() }),
]);

/** What came of a check; `failed` where the fault is ours. */
export type Outcome = Readonly<z.infer<typeof outcome>>;

export function decodeOutcome(text: string): Outcome {
  return outcome.parse(parseJsonText(text));
}
