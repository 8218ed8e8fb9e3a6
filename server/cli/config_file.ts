import type { Command, Option } from "commander";
import { CommanderError } from "commander";
import { readFileSync } from "node:fs";
import process from "node:process";
import { AppError, reason } from "../../core/error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Adds `--config`: a JSON file with flags by their names, such as `{"axon.port": 8091}`. What is not
 * on the command line is taken from the environment, and then from the file.
 */
export function addConfigOption(command: Command, env: Environment = process.env): Command {
  return command
    .option(
      "--config <file>",
      'JSON of flags by their names, as in {"axon.port": 8091}; before it counts the environment ' +
        "(STEPWISE_AXON_PORT, or bittensor's BT_AXON_PORT), and before that the command line",
    )
    .hook("preAction", (_, action) => applySettings(action, env));
}

/** Adds what `--config` adds, but for the file: what is not on the command line is taken from the environment. */
export function addEnvironment(command: Command, env: Environment = process.env): Command {
  return command.hook("preAction", (_, action) => applyEnvironment(action, env));
}

/** @throws AppError `invalid_request` naming the variable, and what is wrong there. */
function applyEnvironment(command: Command, env: Environment): void {
  for (const option of settable(command)) {
    const variable = variablesOf(nameOf(option)).find((name) => env[name]);
    const text = variable && env[variable];
    if (text) take(command, option, textValue(option, text, variable), variable, "env");
  }
}

/** @throws AppError `invalid_request` naming the file or the variable, and what is wrong there. */
function applySettings(command: Command, env: Environment): void {
  applyEnvironment(command, env);
  const path = command.getOptionValue("config");
  if (typeof path !== "string") return;
  const options = new Map(settable(command).map((option) => [nameOf(option), option]));
  for (const [name, value] of Object.entries(readConfig(path))) {
    const option = options.get(name);
    if (!option) throw refusal(path, `${name} is no flag of ${command.name()}`);
    take(command, option, value, path, "config");
  }
}

/** Groups of flags that bittensor has as well, and reads from variables of its own. */
const BITTENSOR = /^(wallet|subtensor|axon)\./;

/** `STEPWISE_AXON_PORT` before bittensor's `BT_AXON_PORT`. */
function variablesOf(name: string): string[] {
  const suffix = name.replaceAll(/[.-]/g, "_").toUpperCase();
  return [`STEPWISE_${suffix}`, ...BITTENSOR.test(name) ? [`BT_${suffix}`] : []];
}

function settable(command: Command): readonly Option[] {
  return command.options.filter((option) => option.attributeName() !== "config");
}

/** `axon.port`; for --no-chain `chain`. */
function nameOf(option: Option): string {
  const name = option.name();
  return option.negate ? name.replace(/^no-/, "") : name;
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw refusal(path, `it cannot be read (${reason(cause)})`);
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  throw refusal(path, "it is no JSON object of flags");
}

/** A flag's value as the environment has it: true or false, or words apart by commas or spaces. */
function textValue(option: Option, text: string, variable: string): unknown {
  if (option.variadic) return text.split(/[\s,]+/).filter(Boolean);
  if (option.required || option.optional) return text;
  if (/^(1|true)$/i.test(text)) return true;
  if (/^(0|false)$/i.test(text)) return false;
  throw refusal(variable, `it is ${text}, not true or false`);
}

/** Sets the flag, unless something that counts more has. */
function take(
  command: Command,
  option: Option,
  value: unknown,
  source: string,
  kind: "env" | "config",
): void {
  const name = option.attributeName();
  const before = command.getOptionValueSource(name);
  const parsed = parsedValue(option, value, source);
  if (before === undefined || before === "default") {
    command.setOptionValueWithSource(name, parsed, kind);
  }
}

/** As commander has the flag's value: text that the command decodes, a list of it, or a boolean. */
function parsedValue(option: Option, value: unknown, source: string): unknown {
  const one = (item: unknown) => {
    if (typeof item !== "string" && typeof item !== "number") {
      throw refusal(source, `${nameOf(option)} is ${JSON.stringify(item)}, no text or number`);
    }
    return checkChoice(option, String(item), source);
  };
  if (option.variadic) return [value].flat().map(one);
  if (option.required || option.optional) return one(value);
  if (typeof value === "boolean") return value;
  throw refusal(source, `${nameOf(option)} is ${JSON.stringify(value)}, not true or false`);
}

function checkChoice(option: Option, text: string, source: string): unknown {
  try {
    return option.parseArg && !option.variadic ? option.parseArg(text, undefined) : text;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw refusal(source, `${nameOf(option)} is ${text}. ${error.message.replace(/\.$/, "")}`);
  }
}

function refusal(source: string, why: string): AppError {
  return new AppError("invalid_request", `Cannot take the settings of ${source}: ${why}`);
}
