import { AppError } from "../../core/error.ts";
import { adapterClass, adapterName } from "../../core/gpu/mod.ts";
import { ChromeHost, type ChromeOptions } from "./chrome_host.ts";
import type { ComputeHost } from "./host.ts";
import { nativeAdapter } from "./native.ts";
import { ThreadHost } from "./thread_host.ts";

export const COMPUTE_KINDS = ["auto", "cpu", "native", "chrome"] as const;
export type ComputeKind = typeof COMPUTE_KINDS[number];

export interface GpuOptions {
  /** An adapter, by its place in the list that an error shows, or by a part of its name. */
  readonly gpu?: string;
}

/**
 * Opens a host. `auto` takes Deno's hardware adapter if there is one, and the CPU otherwise; it
 * does not start a Chrome to ask whether that has one.
 * @throws AppError `host_unavailable` naming what is missing.
 */
export async function openCompute(
  kind: ComputeKind,
  options: ChromeOptions & GpuOptions = {},
): Promise<ComputeHost> {
  const { gpu } = options;
  if (gpu !== undefined) return await chosenCompute(kind, gpu);
  switch (kind) {
    case "auto":
      return await autoCompute();
    case "cpu":
      return await ThreadHost.start("cpu", "chosen by --compute cpu");
    case "native":
      return await ThreadHost.start("native", "chosen by --compute native");
    case "chrome":
      return await ChromeHost.start(options);
    default:
      return kind satisfies never;
  }
}

/** On the GPU that the user chose, or not at all. */
async function chosenCompute(kind: ComputeKind, gpu: string): Promise<ComputeHost> {
  if (kind === "native" || kind === "auto") {
    return await ThreadHost.start("native", `chosen by --gpu ${gpu}`, gpu);
  }
  const why = kind === "cpu"
    ? "--compute cpu uses none"
    : "Chrome takes the fastest that its driver shows; choose by the driver's variables, such as " +
      "MESA_VK_DEVICE_SELECT or NVIDIA_VISIBLE_DEVICES";
  throw new AppError("invalid_request", `Cannot compute on the GPU ${gpu}: ${why}`, {
    field: "gpu",
  });
}

async function autoCompute(): Promise<ComputeHost> {
  const adapter = await nativeAdapter();
  if (!adapter) return await ThreadHost.start("cpu", "no WebGPU adapter was found");
  const found = adapterName(adapter);
  if (adapterClass(adapter) !== "hardware") {
    return await ThreadHost.start("cpu", `the only adapter, ${found}, is software`);
  }
  return await ThreadHost.start("native", `a GPU was found: ${found}`);
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
