import { AppError } from "../../core/error.ts";
import { adapterName } from "../../core/gpu/mod.ts";

type Preference = Pick<GPURequestAdapterOptions, "powerPreference" | "forceFallbackAdapter">;

/** WebGPU lists no adapters: it gives one for each wish. The fastest first. */
const WISHES: readonly Preference[] = [
  { powerPreference: "high-performance" },
  { powerPreference: "low-power" },
  { forceFallbackAdapter: true },
];

/** What gives adapters, as `navigator.gpu` does. */
type Adapters = Pick<GPU, "requestAdapter">;

/** The adapters that can be had, each once, as far as their names tell them apart. */
async function adaptersOf(gpu: Adapters | undefined): Promise<GPUAdapter[]> {
  const found = new Map<string, GPUAdapter>();
  for (const wish of WISHES) {
    const adapter = await gpu?.requestAdapter(wish);
    if (adapter && !found.has(adapterName(adapter))) found.set(adapterName(adapter), adapter);
  }
  return [...found.values()];
}

/**
 * The adapter that `--gpu` names, by its place in the list or by a part of its name.
 * @throws AppError `host_unavailable` listing what there is, where that is none of them.
 */
export async function chosenAdapter(
  choice: string,
  gpu: Adapters | undefined,
): Promise<GPUAdapter> {
  const adapters = await adaptersOf(gpu);
  const wanted = /^\d+$/.test(choice)
    ? adapters[Number(choice)]
    : adapters.find((adapter) => namesIt(adapter, choice));
  if (wanted) return wanted;
  const list = adapters.map((adapter, k) => `${k} ${adapterName(adapter)}`).join(", ");
  throw new AppError(
    "host_unavailable",
    `Cannot compute on the GPU ${choice}: ` +
      (list ? `the adapters here are ${list}` : "there is no WebGPU adapter here") +
      ". A driver that shows only one of several can be told which by its own variables, such as " +
      "MESA_VK_DEVICE_SELECT or NVIDIA_VISIBLE_DEVICES",
    { field: "gpu" },
  );
}

function namesIt(adapter: GPUAdapter, choice: string): boolean {
  return adapterName(adapter).toLowerCase().includes(choice.toLowerCase());
}
