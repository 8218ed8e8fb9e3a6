import { statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { AppError } from "../../core/error.ts";
import { type NpmChromium, npmChromium } from "./npm_chromium.ts";

/** A Chrome to start, and what its process needs besides our own environment. */
export interface ChromeProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where Chrome and its kin are found, in the order tried. */
const NAMES = [
  "google-chrome-stable",
  "google-chrome",
  "chromium",
  "chromium-browser",
  "chrome",
  "microsoft-edge",
];
const APPLICATIONS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
];

/** The path of an installed Chrome or Chromium: `CHROME_PATH`, else the usual places. */
export function findChrome(): string | undefined {
  const named = process.env.CHROME_PATH;
  return named && isFile(named) ? named : installedChrome();
}

/**
 * The Chrome that a host starts: the path given, `CHROME_PATH`, an installed one, or the Chromium
 * that the npm package @sparticuz/chromium carries, if it is installed.
 * @param carriedByNpm finds the last of these.
 * @throws AppError `host_unavailable` naming the places.
 */
export async function locateChrome(
  given?: string,
  carriedByNpm: () => Promise<NpmChromium | undefined> = npmChromium,
): Promise<ChromeProgram> {
  for (const [name, path] of [["--chrome-path", given], ["CHROME_PATH", named()]]) {
    if (path === undefined) continue;
    if (isFile(path)) return { path, env: {} };
    throw new AppError("host_unavailable", `Cannot start Chrome: ${name} is ${path}, no file`);
  }
  const installed = installedChrome();
  if (installed) return { path: installed, env: {} };
  const carried = await carriedByNpm();
  if (carried) return { path: carried.chrome, env: { LD_LIBRARY_PATH: carried.libraries } };
  throw new AppError(
    "host_unavailable",
    "Cannot start Chrome: none is named by --chrome-path or CHROME_PATH, none is installed, and " +
      "the npm package @sparticuz/chromium is not there (Linux on x86-64 only). Install Google " +
      "Chrome or Chromium, or use --compute cpu",
  );
}

function named(): string | undefined {
  return process.env.CHROME_PATH || undefined;
}

function installedChrome(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...APPLICATIONS].find(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
