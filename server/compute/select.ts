import { AppError } from "../../core/error.ts";
import type { Runtime } from "../../core/inference/mod.ts";
import { cpuRuntime } from "./cpu.ts";
import { describeAdapter, isSoftwareAdapter, nativeAdapter, nativeRuntime } from "./native.ts";

export const COMPUTE_KINDS = ["auto", "cpu", "native"] as const;
export type ComputeKind = typeof COMPUTE_KINDS[number];

/** A runtime, and in words for the user why it is this one. */
export interface ComputeChoice {
  readonly runtime: Runtime;
  readonly reason: string;
}

/**
 * The runtime of a host. `auto` takes a hardware adapter if there is one, and the CPU otherwise.
 * @throws AppError `host_unavailable` naming what is missing.
 */
export async function openCompute(kind: ComputeKind): Promise<ComputeChoice> {
  switch (kind) {
    case "auto":
      return await autoCompute();
    case "cpu":
      return { runtime: await cpuRuntime(), reason: "chosen by --compute cpu" };
    case "native":
      return { runtime: await nativeRuntime(), reason: "chosen by --compute native" };
    default:
      return kind satisfies never;
  }
}

async function autoCompute(): Promise<ComputeChoice> {
  const adapter = await nativeAdapter();
  if (!adapter) return { runtime: await cpuRuntime(), reason: "no WebGPU adapter was found" };
  const found = describeAdapter(adapter);
  if (isSoftwareAdapter(adapter)) {
    return { runtime: await cpuRuntime(), reason: `the only adapter, ${found}, is software` };
  }
  return { runtime: await nativeRuntime(), reason: `a GPU was found: ${found}` };
}

/** @throws AppError `invalid_request` listing the kinds. */
export function parseComputeKind(text: string): ComputeKind {
  const kind = COMPUTE_KINDS.find((name) => name === text);
  if (kind) return kind;
  throw new AppError(
    "invalid_request",
    `Cannot compute: --compute is ${text}, not one of ${COMPUTE_KINDS.join(", ")}`,
  );
}
