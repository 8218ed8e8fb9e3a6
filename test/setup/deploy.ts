import { aptInstall, succeeds } from "./command.ts";

/**
 * What checks the sample configurations. Its packages start servers on a machine of its own, so that
 * they are installed where nobody works alone; elsewhere those tests are skipped.
 */
export async function prepareDeploy(): Promise<void> {
  if (Deno.env.get("CI") !== "true") return;
  if (await succeeds("promtool", ["--version"]) && await succeeds("nginx", ["-v"])) return;
  await aptInstall("prometheus", "nginx-light", "systemd");
}
