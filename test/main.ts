/**
 * `deno task test [vitest arguments]`: prepares what the tests need from the system, then runs
 * them. While one works:
 *
 *     deno task test test/core          files whose path contains it
 *     deno task test -t "a wide image"  tests whose name matches
 *     deno task test --changed          files that depend on what is not committed yet
 *     deno task test --changed main     the same for all commits since main
 *
 * What a test depends on is read from its imports. Sources of the pages and models are read or built
 * instead: a change of them runs every test.
 */
import { prepareSystem } from "./setup/mod.ts";

/** This process has seen that the packages are there: no worker looks again at each import. */
const SCRIPT = ["run", "-A", "--node-modules-dir=manual", "node_modules/vitest/vitest.mjs"];

const env = await prepareSystem();
const vitest = new Deno.Command(Deno.execPath(), {
  args: [...SCRIPT, "run", "--config", "test/vitest.config.ts", ...Deno.args],
  env,
});
Deno.exit((await vitest.spawn().status).code);
