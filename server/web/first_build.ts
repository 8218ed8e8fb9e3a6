import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childCommand } from "../runtime/mod.ts";
import { SITE_FOLDER, SITE_HEADERS, siteFile } from "./site_files.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
/** What people open. */
const PAGES = ["/", "/index.html", "/bench.html"];
/** Seconds after which a visitor's browser looks again; a build takes about three. */
const LOOK_AGAIN = 2;

const BUILDING =
  "The pages are being built, which takes some seconds; this one then opens by itself.";
const FAILED = "The pages could not be built on this machine. Its operator learns why by this " +
  "command: deno task build";

// A refresh by the page's head would only go to the address's fragment, and load nothing.
const RELOAD = `setTimeout(() => location.reload(), ${1000 * LOOK_AGAIN})`;
const RELOAD_HASH = createHash("sha256").update(RELOAD).digest("base64");

/** How the build of a folder goes: it is tried once a process. */
const builds = new Map<string, "building" | "failed" | "built">();

/**
 * As {@link siteFile}; where the pages are not built yet the first visitor has them built, and is
 * shown that they are coming.
 * @param build makes the folder; in a process of its own, for this one answers miners' callers.
 * @returns undefined for what is not there, also in a folder that is not ours to build.
 */
export async function sitePage(
  request: Request,
  site: string,
  { own = SITE_FOLDER, build = buildApart } = {},
): Promise<Response | undefined> {
  const file = await siteFile(request, site);
  if (file || site !== own || !PAGES.includes(new URL(request.url).pathname)) return file;
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  if (!builds.has(site)) {
    builds.set(site, "building");
    build(site).then(() => builds.set(site, "built"), () => builds.set(site, "failed"));
  }
  return builds.get(site) === "failed" ? notice(FAILED) : notice(BUILDING, RELOAD);
}

/** A page of one sentence. @param script that its policy allows. */
function notice(sentence: string, script = ""): Response {
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Stepwise</title>
  </head>
  <body>
    <h1>Stepwise</h1>
    <p>${sentence}</p>
    <script>${script}</script>
  </body>
</html>
`;
  return new Response(html, {
    status: 503,
    headers: {
      ...SITE_HEADERS,
      "content-security-policy": `default-src 'none'; script-src 'sha256-${RELOAD_HASH}'`,
      "retry-after": String(LOOK_AGAIN),
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
    },
  });
}

/** Several processes may build at once: the first one's pages stay. */
async function buildApart(site: string): Promise<void> {
  const folder = join(site, `.building-${crypto.randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    const [program, args] = childCommand(MAIN, ["build", "--out", folder]);
    const [code] = await once(spawn(program, args, { stdio: "ignore" }), "exit");
    if (code !== 0) throw new Error(`deno task build ended with ${code}`);
    const built = await stat(join(site, "index.html")).catch(() => undefined);
    if (!built) await moveInto(site, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What makes the others be found comes last. */
async function moveInto(site: string, folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== "index.html");
  for (const name of [...names, "index.html"]) {
    await rm(join(site, name), { recursive: true, force: true });
    await rename(join(folder, name), join(site, name));
  }
}
