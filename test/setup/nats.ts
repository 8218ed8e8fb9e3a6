import { aptInstall, succeeds } from "./command.ts";

/** A nats-server for the tests: `NATS_SERVER`, an installed one, or Debian's. */
export async function prepareNats(): Promise<Record<string, string>> {
  const path = Deno.env.get("NATS_SERVER") ?? "nats-server";
  const there = () => succeeds(path, ["--version"]);
  if (await there() || await aptInstall("nats-server") && await there()) {
    return { NATS_SERVER: path };
  }
  throw new Error("Cannot find nats-server: install it, or set NATS_SERVER to one");
}
