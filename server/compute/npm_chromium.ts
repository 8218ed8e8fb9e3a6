import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { AppError } from "../../core/error.ts";
import { snippetCommand } from "../runtime/mod.ts";

/** The Chromium that an npm package carries, unpacked: works without root and without apt. */
export interface NpmChromium {
  readonly chrome: string;
  /** Its own shared libraries, and Chromium's Vulkan loader and SwiftShader driver. */
  readonly libraries: string;
  /** Names the SwiftShader driver for a Vulkan loader. */
  readonly vulkanDriver: string;
}

/** Unpacked by a child process, because the package unpacks into what TMPDIR was at its start. */
const UNPACK = `
  import { inflate } from "@sparticuz/chromium";
  const bin = new URL("../bin/", import.meta.resolve("@sparticuz/chromium"));
  for (const name of ["chromium.br", "fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br"]) {
    await inflate(new URL(name, bin).pathname);
  }`;

/**
 * @returns undefined where the package is not installed or does not run: it is for Linux on x86-64.
 */
export async function npmChromium(): Promise<NpmChromium | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64" || !isInstalled()) return undefined;
  const folder = join(cacheFolder(), "npm-chromium-153");
  if (!existsSync(folder)) {
    console.error(`Unpacking the npm-shipped Chromium into ${folder}`);
    await fillOnce(folder, unpack);
  }
  return {
    chrome: join(folder, "chromium"),
    libraries: [join(folder, "al2023", "lib"), folder].join(":"),
    vulkanDriver: join(folder, "vk_swiftshader_icd.json"),
  };
}

function isInstalled(): boolean {
  try {
    return existsSync(fileURLToPath(import.meta.resolve("@sparticuz/chromium")));
  } catch {
    return false;
  }
}

/**
 * Makes a folder next to its final place and renames it, so that what is there is whole. Of two that
 * do so at once the first stays.
 */
export async function fillOnce(
  folder: string,
  fill: (partial: string) => Promise<void>,
): Promise<void> {
  const place = dirname(folder);
  await mkdir(place, { recursive: true });
  const partial = await mkdtemp(join(place, `${basename(folder)}.part-`));
  try {
    await fill(partial);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true });
    // A folder that is not empty is not renamed over: another was first.
    if (!existsSync(folder)) throw error;
  }
}

async function unpack(folder: string): Promise<void> {
  const [program, args] = snippetCommand(UNPACK);
  const child = spawn(program, args, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "close");
  const words = await text(child.stderr);
  const [code] = await ended;
  if (code === 0) return;
  throw new AppError("host_unavailable", `Cannot unpack the npm-shipped Chromium: ${words.trim()}`);
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "stepwise");
}
