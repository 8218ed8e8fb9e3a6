import { Command } from "commander";
import { cp, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../../core/error.ts";
import { stopped } from "../runtime/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { listen } from "../http/mod.ts";
import { buildSite } from "./build_site.ts";
import { sitePage } from "./first_build.ts";
import { ORT_FILES, SITE_FOLDER, SITE_HEADERS, SITE_MODELS, siteFile } from "./site_files.ts";

/** What every build has. */
const PAGES = ["index.html", "bench.html", "assets"];
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export function buildCommand(): Command {
  return new Command("build")
    .description("Build the pages: the miner and the validator serve them under /.")
    .option("--out <folder>", "where to", SITE_FOLDER)
    .option("--whole", "with onnxruntime and the embedded model, for any web server", false)
    .action(async (flags: { readonly out: string; readonly whole: boolean }) => {
      const [whole, out] = [flags.whole, resolve(flags.out)];
      await checkReplaceable(out);
      await buildSite(out);
      if (whole) await copyParts(out);
      console.log(`The pages are in ${out}`);
    });
}

/** A build empties its folder. @throws AppError `invalid_request` for one with other files in it. */
async function checkReplaceable(out: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new AppError("invalid_request", `Cannot build into ${out}: ${why}; name an empty folder`);
  };
  const there = await stat(out).catch(() => undefined);
  if (!there) return;
  if (!there.isDirectory()) refuse("it is a file");
  const names = await readdir(out);
  if (names.length === 0 || PAGES.every((name) => names.includes(name))) return;
  refuse("there are other files in it, and a build replaces all that is there");
}

/** What our own server takes from where it is; another one has to be given it. */
async function copyParts(out: string): Promise<void> {
  await mkdir(join(out, "ort"), { recursive: true });
  const dist = join(ROOT, "node_modules", "onnxruntime-web", "dist");
  for (const name of ORT_FILES) await cp(join(dist, name), join(out, "ort", name));
  for (const name of SITE_MODELS) {
    await cp(join(ROOT, "models", name), join(out, "models", name), { recursive: true });
  }
  const headers = Object.entries(SITE_HEADERS).map(([name, value]) => `  ${name}: ${value}`);
  await writeFile(join(out, "_headers"), `/*\n${headers.join("\n")}\n`);
}

export function webCommand(): Command {
  return new Command("web")
    .description("Serve the pages while they are worked on: a change is seen at once.")
    .option("--port <n>", "of 127.0.0.1", "5173")
    .option("--built", "serve what deno task build made, as miners do", false)
    .action(async (flags: { readonly port: string; readonly built: boolean }) => {
      const port = wholeFlag("--port", flags.port, 0, 65535);
      if (flags.built) return await serveBuilt(port);
      await serveSources(port);
    });
}

async function serveBuilt(port: number): Promise<void> {
  const server = await listen(
    { hostname: "127.0.0.1", port },
    async (request) =>
      await sitePage(request, SITE_FOLDER) ?? new Response("It is not here", { status: 404 }),
  );
  console.log(`The pages are at http://127.0.0.1:${server.addr.port}/`);
  await stopped();
  await server.shutdown();
}

async function serveSources(port: number): Promise<void> {
  const { createServer } = await import("vite");
  const parts = await listen(
    { hostname: "127.0.0.1", port: 0 },
    async (request) => await siteFile(request, "/nowhere") ?? new Response("", { status: 404 }),
  );
  const target = `http://127.0.0.1:${parts.addr.port}`;
  const server = await createServer({
    configFile: join(ROOT, "browser", "vite.config.ts"),
    server: {
      ...{ host: "127.0.0.1", port },
      headers: {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      },
      proxy: { "/ort": target, "/models": target },
    },
  });
  await server.listen();
  console.log(`The pages are at ${server.resolvedUrls?.local[0]}`);
  await stopped();
  await server.close();
  await parts.shutdown();
}
