import { type Command, Option } from "commander";
import { COMPUTE_KINDS, type ComputeKind } from "./select.ts";

/** Which model, and what computes it. */
export interface EngineFlags {
  readonly model: string;
  readonly variant?: string;
  readonly compute: string;
}

export function addEngineOptions(command: Command): Command {
  return command.option(
    "--model <source>",
    "embedded, a folder, hf:owner/name[@revision] or a URL",
    "embedded",
  )
    .option("--variant <name>", "other weights of the same model, for example fp16")
    .addOption(computeOption());
}

export function computeOption(description = "what computes", kind: ComputeKind = "auto"): Option {
  return new Option("--compute <host>", description).choices([...COMPUTE_KINDS]).default(kind);
}
