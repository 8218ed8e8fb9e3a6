import { AppError } from "../../core/error.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  type CatalogueEntry,
  type KnownModel,
  networkPrecision,
  readLayout,
  type Tolerance,
} from "../../core/model/mod.ts";
import { COMPUTE_KINDS, openCompute } from "../compute/mod.ts";
import type { Progress } from "../cli/mod.ts";
import { knownEntry, openKnownModel } from "../models/mod.ts";

/** An honest machine: a host with a model's weights. */
export interface Machine {
  readonly engine: ImageEngine;
  /** Of its weights, as their file has it. */
  readonly precision: Tolerance["precision"];
  readonly facts: KnownModel["facts"];
}

const HOSTS = COMPUTE_KINDS.filter((kind) => kind !== "auto");

/** What `--engines` and `--honest` take. */
export const ALL_HOSTS = "all";

/**
 * Opens machines by name: `cpu`, `native`, `chrome`, or with a variant of the weights, `cpu:fp16`.
 * `all` is every host that this machine has, and the CPU once more for each variant.
 * @param stack frees them.
 * @throws AppError `invalid_request` for an unknown name, `host_unavailable` for a host that
 * was named and is not there, and as `openModel`.
 */
export async function openMachines(
  list: string,
  model: string,
  progress: Progress,
  stack: AsyncDisposableStack,
): Promise<Map<string, Machine>> {
  const machines = new Map<string, Machine>();
  for (const name of namesOf(list, knownEntry(model))) {
    try {
      machines.set(name, await openMachine(name, model, progress, stack));
    } catch (error) {
      if (list !== ALL_HOSTS || !isMissing(error)) throw error;
      progress.say(`${name} is left out. ${error.message}.`);
    }
  }
  return machines;
}

function namesOf(list: string, entry: CatalogueEntry | undefined): string[] {
  if (list !== ALL_HOSTS) {
    return [...new Set(list.split(",").map((name) => name.trim()).filter(Boolean))];
  }
  return [...HOSTS, ...(entry?.variants ?? []).map((variant) => `cpu:${variant}`)];
}

async function openMachine(
  name: string,
  model: string,
  progress: Progress,
  stack: AsyncDisposableStack,
): Promise<Machine> {
  const [kind, variant] = name.split(":");
  const named = HOSTS.find((host) => host === kind);
  if (!named) {
    const known = `${HOSTS.join(", ")}, the CPU with a variant as in cpu:fp16, or ${ALL_HOSTS}`;
    throw new AppError(
      "invalid_request",
      `Cannot open the machine ${name}: it is none of ${known}`,
    );
  }
  const host = stack.use(await openCompute(named));
  const { files, facts } = await openKnownModel(model, { variant });
  const { denoiser } = await readLayout(files);
  progress.say(`${name}: ${host.name}`);
  return {
    engine: stack.use(await host.open(files)),
    precision: await networkPrecision(files, denoiser),
    facts,
  };
}

function isMissing(error: unknown): error is AppError {
  return error instanceof AppError && error.code === "host_unavailable";
}
