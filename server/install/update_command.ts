import { execFile } from "node:child_process";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Command } from "commander";
import { AppError, reason } from "../../core/error.ts";
import manifest from "../../package.json" with { type: "json" };

const ROOT = dirname(fileURLToPath(new URL("../../deno.json", import.meta.url)));
const LOOK_MS = 30_000;

const TEXT = `
Exit codes: 0 when there is none, 10 when there is a newer one. Axons, workers and a validator's
processes speak the version before too: update them one by one, in any order.
`;

export function updateCommand(): Command {
  return new Command("update")
    .description("Say whether there is a newer version than this, and how to get it.")
    .option("--check", "only say it, which is all that is done without it too", true)
    .option("--from <repository>", "whose tags are looked at", "origin")
    .addHelpText("after", TEXT)
    .action(async ({ from }: { readonly from: string }) => {
      const newest = newestOf(await tagsOf(from));
      const newer = newest !== undefined && compare(newest, manifest.version) > 0;
      console.log(
        newer
          ? `Stepwise ${newest} is there; this is ${manifest.version}. To get it: deno task backup ` +
            `<folder>, then git fetch ${from} --tags && git checkout v${newest}, then restart`
          : `Stepwise ${manifest.version} is the newest`,
      );
      if (newer) process.exitCode = 10;
    });
}

/** @throws AppError `host_unavailable` where it cannot be read. */
async function tagsOf(repository: string): Promise<string> {
  try {
    const args = ["ls-remote", "--tags", "--refs", "--", repository];
    const { stdout } = await promisify(execFile)("git", args, { cwd: ROOT, timeout: LOOK_MS });
    return stdout;
  } catch (cause) {
    throw new AppError(
      "host_unavailable",
      `Cannot look for a newer version: git does not read the tags of ${repository} ` +
        `(${reason(cause).trim()}); --from names another repository`,
      { cause },
    );
  }
}

/** Of versions such as `v1.2.3`; what comes before a release is none. */
export function newestOf(tags: string): string | undefined {
  const found = [...tags.matchAll(/refs\/tags\/v(\d+\.\d+\.\d+)$/gm)].map(([, version]) => version);
  return found.toSorted(compare).at(-1);
}

function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split(".").map(Number));
  return a.map((part, k) => part - b[k]).find((difference) => difference !== 0) ?? 0;
}
