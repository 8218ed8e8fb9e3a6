import { existsSync } from "node:fs";
import process from "node:process";
import { AppError } from "../../core/error.ts";

/**
 * The first Chrome with `GPUAdapter.info`. WebGPU itself came to Windows, macOS and ChromeOS with
 * 113 and to Linux with 121, there behind --enable-unsafe-webgpu.
 */
const MINIMUM_VERSION = 127;

/** A Chrome that computes sends no reports, and fetches nothing but its page. */
const SILENT = [
  "--no-first-run",
  "--no-pings",
  "--disable-background-networking",
  "--disable-breakpad",
  "--disable-client-side-phishing-detection",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-sync",
  "--metrics-recording-only",
];

/** Where Linux shows a GPU: DRM, NVIDIA's driver (also in containers), WSL. */
const GPU_NODES = ["/dev/dri/renderD128", "/dev/dri/card0", "/dev/nvidiactl", "/dev/dxg"];

/**
 * The flags with which headless Chrome computes, by platform:
 * - macOS and Windows need none: WebGPU is on, over Metal and Direct3D 12;
 * - Linux with a GPU: WebGPU over Vulkan, also where Chrome does not trust the driver;
 * - Linux without: SwiftShader, which computes on the CPU and is for tests. V8's first compiler alone
 *   then, as optimizing all of onnxruntime's wasm takes longer than a test.
 *
 * The GPU watchdog is off since it takes a long kernel for a hung GPU. `--use-vulkan=native` is
 * not used: without a GPU it hangs.
 */
export function chromeFlags(
  os: NodeJS.Platform = process.platform,
  gpu: boolean = GPU_NODES.some((path) => existsSync(path)),
): string[] {
  const quiet = [...SILENT, "--disable-gpu-watchdog"];
  if (os !== "linux") return quiet;
  const adapter = gpu
    ? ["--enable-features=Vulkan", "--use-angle=vulkan", "--ignore-gpu-blocklist"]
    : ["--use-webgpu-adapter=swiftshader", "--js-flags=--liftoff-only"];
  // Chrome refuses to run its sandbox as root, which is what a container mostly is.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return [...quiet, ...sandbox, "--enable-unsafe-webgpu", ...adapter];
}

/**
 * @param product as DevTools gives it: `Chrome/156.0.8078.79`.
 * @throws AppError `host_unavailable` for a Chrome that is too old.
 */
export function checkChromeVersion(product: string, path: string): void {
  const version = Number(/\/(\d+)/.exec(product)?.[1] ?? NaN);
  if (version >= MINIMUM_VERSION) return;
  throw new AppError(
    "host_unavailable",
    `Cannot compute in Chrome: ${path} is ${product}, and WebGPU as we need it came with ` +
      `Chrome ${MINIMUM_VERSION}. Install a newer one, or name one by --chrome-path`,
  );
}
