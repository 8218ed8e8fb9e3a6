import { findChrome, npmChromium } from "../../server/compute/mod.ts";
import { aptInstall, succeeds } from "./command.ts";

type Environment = Record<string, string>;

/**
 * A Chrome for the tests: `CHROME_PATH`, an installed one, puppeteer's own download, Debian's, or
 * the one from npm. The first that starts is taken.
 */
export async function prepareChrome(): Promise<Environment> {
  for (const find of [installed, downloaded, fromDebian, fromNpm]) {
    const env = await find();
    if (env && await starts(env)) {
      console.log(`Chrome for the tests: ${env.CHROME_PATH}`);
      return env;
    }
  }
  throw new Error(
    "Cannot find Chrome: install google-chrome or chromium, or set CHROME_PATH to one",
  );
}

function installed(): Environment | undefined {
  const path = findChrome();
  return path ? { CHROME_PATH: path } : undefined;
}

async function downloaded(): Promise<Environment | undefined> {
  const { default: puppeteer } = await import("puppeteer");
  if (!await succeeds(Deno.execPath(), ["run", "-A", "npm:puppeteer", "browsers", "install"])) {
    return undefined;
  }
  return { CHROME_PATH: await puppeteer.executablePath() };
}

async function fromDebian(): Promise<Environment | undefined> {
  return await aptInstall("chromium") ? installed() : undefined;
}

async function fromNpm(): Promise<Environment | undefined> {
  const found = await npmChromium();
  return found && { CHROME_PATH: found.chrome, LD_LIBRARY_PATH: found.libraries };
}

async function starts(env: Environment): Promise<boolean> {
  return await succeeds(env.CHROME_PATH, ["--version", "--headless", "--no-sandbox"], env);
}
