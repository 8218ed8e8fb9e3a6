import { type Command, Option } from "commander";
import { AppError } from "../../../core/error.ts";
import { wholeFlag } from "../../cli/mod.ts";
import { NSFW_POLICIES, type NsfwPolicy } from "../../safety/mod.ts";
import type { KeyLimits } from "../store/mod.ts";

/** Limits as flags have them: what is not given stays as it is. */
export interface LimitFlags {
  readonly rate?: string;
  readonly images?: string;
  readonly jobs?: string;
  readonly models?: readonly string[];
  readonly nsfw?: NsfwPolicy | typeof NONE;
  readonly expires?: string;
}

const NONE = "none";
const MOST = 1e9;

export function addLimitOptions(command: Command): Command {
  return command
    .option("--rate <n>", `requests a minute, instead of the validator's own; "${NONE}" for that`)
    .option("--images <n>", `images a day, in UTC; "${NONE}" for any number`)
    .option("--jobs <n>", `jobs that have not ended, at once; "${NONE}" for any number`)
    .option("--models <names...>", `models that it may ask for; "${NONE}" for all`)
    .addOption(
      new Option(
        "--nsfw <policy>",
        `on nakedness and sex, instead of the validator's own; "${NONE}" for that`,
      ).choices([...NSFW_POLICIES, NONE]),
    )
    .option("--expires <date>", `a day such as 2027-01-31, in UTC; "${NONE}" for never`);
}

/** @throws AppError `invalid_request` naming the flag. */
export function limitsOf(flags: LimitFlags, before: KeyLimits = {}): KeyLimits {
  const number = (flag: string, text: string | undefined, was: number | undefined) =>
    text === undefined ? was : text === NONE ? undefined : wholeFlag(flag, text, 0, MOST);
  const { models = before.models, nsfw = before.nsfw } = flags;
  return {
    requestsPerMinute: number("--rate", flags.rate, before.requestsPerMinute),
    imagesPerDay: number("--images", flags.images, before.imagesPerDay),
    jobs: number("--jobs", flags.jobs, before.jobs),
    models: models?.join() === NONE ? undefined : models,
    nsfw: nsfw === NONE ? undefined : nsfw,
  };
}

/** @returns milliseconds since 1970. @throws AppError `invalid_request`. */
export function expiryOf({ expires }: LimitFlags, before?: number): number | undefined {
  if (expires === undefined) return before;
  if (expires === NONE) return undefined;
  const time = /^\d{4}-\d\d-\d\d/.test(expires) ? Date.parse(expires) : NaN;
  if (Number.isFinite(time)) return time;
  throw new AppError(
    "invalid_request",
    `Cannot make the key: --expires is ${expires}, not a day such as 2027-01-31, nor "${NONE}"`,
  );
}
