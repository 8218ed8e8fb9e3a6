import process from "node:process";

const TASK = "deno task";

/** What a launcher that `deno task install` wrote sets: the name that it was called by. */
const NAME_VARIABLE = "STEPWISE_COMMAND";

/** How this command was called: by `deno task`, or by the name of its launcher. */
export function programName(): string {
  return process.env[NAME_VARIABLE] || TASK;
}

/** A text with its commands written as the user would have to type them. */
export function asTyped(text: string): string {
  return text.replaceAll(TASK, programName());
}
