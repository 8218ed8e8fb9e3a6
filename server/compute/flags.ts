import { type Command, Option } from "commander";
import { COMPUTE_KINDS, type ComputeKind } from "./select.ts";

/** Which model, and what computes it. */
export interface EngineFlags {
  readonly model: string;
  readonly variant?: string;
  readonly configs?: string;
  readonly vae?: string;
  readonly compute: string;
  readonly gpu?: string;
}

export function addEngineOptions(command: Command): Command {
  return command.option(
    "--model <source>",
    "embedded, a folder, a .safetensors file, hf:owner/name[@revision] or a URL",
    "embedded",
  )
    .option("--variant <name>", "other weights of the same model, for example fp16")
    .option("--vae <source>", "another VAE: a folder, a file, hf:owner/name[/file] or a URL")
    .option("--configs <folder>", "config.json of parts, for a .safetensors file that is unusual")
    .addOption(computeOption())
    .addOption(gpuOption());
}

export function gpuOption(): Option {
  return new Option(
    "--gpu <name>",
    "of native: part of an adapter's name, or its number; unknown, it lists them",
  );
}

/** Repeatable. */
export function loraOption(
  flags = "--lora <source[:scale]>",
  what = "a LoRA, with its strength (default: 1)",
): Option {
  return new Option(
    flags,
    `${what}: a file, a folder,\nhf:owner/name[/file] or a URL; may be given several times`,
  ).argParser<readonly string[]>((value, before = []) => [...before, value]);
}

/** A LoRA as it is typed: its source, and its scale where that is said. */
export interface GivenLora {
  readonly source: string;
  readonly scale: number | undefined;
}

/** `<source>[:scale]`; an address has a colon of its own. */
export function parseLora(given: string): GivenLora {
  const [, source, scale] = /^(.+):(-?\d+(?:\.\d+)?)$/.exec(given) ?? [];
  return source ? { source, scale: Number(scale) } : { source: given, scale: undefined };
}

/** Repeatable. */
export function controlnetOption(
  what = "a ControlNet, for all control images or one for each (default: the model's own)",
): Option {
  return new Option(
    "--controlnet <source>",
    `${what}: a folder in\ndiffusers' layout or hf:owner/name; may be given several times`,
  ).argParser<readonly string[]>((value, before = []) => [...before, value]);
}

export function computeOption(description = "what computes", kind: ComputeKind = "auto"): Option {
  return new Option("--compute <host>", description).choices([...COMPUTE_KINDS]).default(kind);
}
