/**
 * `deno task test [vitest arguments]`: prepares what the tests need from the system, then runs
 * them all.
 */
import { prepareSystem } from "./setup/mod.ts";

const env = await prepareSystem();
const vitest = new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", "npm:vitest", "run", "--config", "test/vitest.config.ts", ...Deno.args],
  env,
});
Deno.exit((await vitest.spawn().status).code);
