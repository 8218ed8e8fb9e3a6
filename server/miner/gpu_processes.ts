import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { AppError } from "../../core/error.ts";
import { childCommand, stopped } from "../runtime/mod.ts";
import type { Log } from "../telemetry/mod.ts";

/** A display adapter of this machine. */
export interface PciGpu {
  /** Its place in the order of the bus, from 0. */
  readonly index: number;
  /** As in 0000:01:00.0. */
  readonly bus: string;
}

const PCI = "/sys/bus/pci/devices";
/** PCI class 03: display controllers. */
const DISPLAY = "0x03";
/** Says to a process which GPU of `--gpus` is its own. */
const OWN_GPU = "STEPWISE_WORKER_GPU";
/** Milliseconds after which a process that ended is started again. */
const AGAIN_MS = 5000;

/** The number of this process' GPU, where it is one of {@link runOnEach}. */
export function ownGpu(): string | undefined {
  return process.env[OWN_GPU];
}

/**
 * GPUs by `all` or their numbers, as in `0,2`.
 * @throws AppError `invalid_request` for a number that is none of them, `host_unavailable` for none.
 */
export async function gpusOf(list: string, folder = PCI): Promise<readonly PciGpu[]> {
  const there = await displayAdapters(folder);
  if (there.length === 0) {
    throw new AppError("host_unavailable", `Cannot use --gpus: no GPU is in ${folder}`);
  }
  if (list === "all") return there;
  return list.split(",").map((text) => {
    const found = /^\d+$/.test(text) ? there[Number(text)] : undefined;
    if (found) return found;
    const last = there.length - 1;
    throw new AppError(
      "invalid_request",
      `Cannot start: --gpus has ${text}, not all or numbers from 0 to ${last} with commas`,
    );
  });
}

async function displayAdapters(folder: string): Promise<PciGpu[]> {
  const all = (await readdir(folder).catch(() => [])).toSorted();
  const classes = await Promise.all(
    all.map((bus) => readFile(join(folder, bus, "class"), "utf8").catch(() => "")),
  );
  return all.filter((_, k) => classes[k].startsWith(DISPLAY))
    .map((bus, index) => ({ index, bus }));
}

/**
 * Variables by which drivers show one GPU alone. Vulkan's, for Deno and Chrome: Mesa's layer for
 * device selection, which other vendors' drivers are listed by too; NVIDIA's, in containers.
 */
export function variablesOf({ index, bus }: PciGpu): Readonly<Record<string, string>> {
  return {
    DRI_PRIME: `pci-${bus.replaceAll(/[:.]/g, "_")}`,
    MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: "1",
    NVIDIA_VISIBLE_DEVICES: String(index),
    CUDA_VISIBLE_DEVICES: String(index),
  };
}

/** This command once more for each GPU, started again when it fails, until this process is stopped. */
export async function runOnEach(gpus: readonly PciGpu[], log: Log): Promise<void> {
  const stop = new AbortController();
  void stopped().then(() => stop.abort());
  await Promise.all(gpus.map((gpu) => keepRunning(gpu, stop.signal, log)));
}

async function keepRunning(gpu: PciGpu, signal: AbortSignal, log: Log): Promise<void> {
  for (;;) {
    const code = await run(gpu, signal);
    if (signal.aborted || code === 0) return;
    log("worker_ended", { gpu: gpu.index, code }, "error");
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** @returns its exit code; null for a signal. */
async function run(gpu: PciGpu, signal: AbortSignal): Promise<unknown> {
  const [program, args] = childCommand(process.argv[1], process.argv.slice(2));
  const child = spawn(program, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...variablesOf(gpu), [OWN_GPU]: String(gpu.index) },
  });
  const end = () => child.kill("SIGTERM");
  signal.addEventListener("abort", end, { once: true });
  const [code] = await once(child, "exit");
  signal.removeEventListener("abort", end);
  return code;
}
