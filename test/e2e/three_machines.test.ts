import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { decodeGenerationAnswer, PATHS, signedHeaders } from "../../core/protocol/mod.ts";
import { openWallet } from "../../server/chain/mod.ts";
import { childCommand } from "../../server/runtime/mod.ts";
import { until } from "../fixtures/processes.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { MAIN } from "./subnet_processes.ts";

/** Machines as OPERATING.md has them: NATS and an axon, and two with a GPU each. */
const MACHINES = ["a", "b", "c"];
const NET = `10.77.${Deno.pid % 250}`;
const addressOf = (machine: string) => `${NET}.${5 + MACHINES.indexOf(machine)}`;
const named = (part: string) => `sw${Deno.pid}${part}`;

const decoder = new TextDecoder();

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${decoder.decode(stderr)}`);
}

const allowed = Deno.build.os === "linux" && await ip("netns", "add", named("try")).then(
  () => ip("netns", "delete", named("try")).then(() => true),
  () => false,
);
if (!allowed) console.warn("SKIPPED: three machines need root, to make network namespaces");

/** A cable from each machine, and from this process, to one switch. */
async function connect(): Promise<void> {
  const hub = named("hub");
  onTestFinished(async () => {
    for (const name of [hub, ...MACHINES.map(named)]) await ip("netns", "delete", name);
  });
  for (const name of [hub, ...MACHINES.map(named)]) await ip("netns", "add", name);
  await ip("-n", hub, "link", "add", "switch", "type", "bridge");
  await ip("-n", hub, "link", "set", "switch", "up");
  for (const machine of [...MACHINES, ""]) {
    const [far, near] = [`port${machine}`, named(`l${machine}`)];
    await ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", hub);
    await ip("-n", hub, "link", "set", far, "master", "switch", "up");
    const own = machine === "" ? [] : ["-n", named(machine)];
    if (machine !== "") await ip("link", "set", near, "netns", named(machine));
    const address = machine === "" ? `${NET}.1` : addressOf(machine);
    await ip(...own, "address", "add", `${address}/24`, "dev", near);
    await ip(...own, "link", "set", near, "up");
    if (machine !== "") await ip(...own, "link", "set", "lo", "up");
  }
}

/** Whether a machine's cable is in. */
const plug = (machine: string, state: "up" | "down") =>
  ip("-n", named("hub"), "link", "set", `port${machine}`, state);

/** Runs a program on a machine, its lines in a file. */
function on(machine: string, log: string, program: string, args: readonly string[]): void {
  const nothing = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const script = 'exec "$0" "$@" 2>"$LOG"';
  const child = new Deno.Command("ip", {
    args: ["netns", "exec", named(machine), "sh", "-c", script, program, ...args],
    ...{ env: { LOG: log }, ...nothing },
  }).spawn();
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
}

test.skipIf(!allowed)(
  "three machines in one cluster: a cable is pulled and put back, and no request is lost",
  async () => {
    const folder = await temporaryFolder();
    await connect();
    const log = (name: string) => join(folder, `${name}.log`);
    const says = async (name: string, words: string) =>
      await until(
        async () => (await Deno.readTextFile(log(name)).catch(() => "")).includes(words),
        `${name}: ${words}`,
      );
    const stepwise = (machine: string, name: string, args: readonly string[]) => {
      const own = ["--wallet.hotkey", "//Bob", "--log", "json", "--storage", join(folder, name)];
      const [program, all] = childCommand(MAIN, [...args, ...own]);
      on(machine, log(name), program, all);
    };
    const cluster = ["--cluster", `nats://${addressOf("a")}:4222`];
    on("a", log("nats"), Deno.env.get("NATS_SERVER") ?? "nats-server", [
      ...["-a", addressOf("a"), "-js", "-sd", join(folder, "nats")],
    ]);
    await says("nats", "Server is ready");
    for (const machine of ["b", "c"]) {
      stepwise(machine, `worker-${machine}`, [
        "worker",
        ...cluster,
        "--compute",
        "cpu",
        "--batch",
        "1",
      ]);
      await says(`worker-${machine}`, `"event":"working"`);
    }
    const caller = await openWallet({ path: "", name: "", hotkey: "//Alice", network: "devnet" });
    const bob = await openWallet({ path: "", name: "", hotkey: "//Bob", network: "devnet" });
    stepwise("a", "axon", [
      ...["miner", "--no-chain", ...cluster, "--whitelist.hotkeys", caller.hotkey.address],
      ...["--axon.ip", addressOf("a"), "--axon.port", "8091"],
    ]);
    await says("axon", `"event":"mining"`);

    const axon = `http://${addressOf("a")}:8091`;
    const make = async (steps: number) => {
      const request = { prompt: "a red tau symbol", width: 64, height: 64, steps };
      const body = new TextEncoder().encode(JSON.stringify({ request }));
      const of = {
        body,
        signedFor: bob.hotkey.address,
        now: Date.now(),
        uuid: crypto.randomUUID(),
      };
      const headers = {
        ...await signedHeaders(of, caller.hotkey),
        "content-type": "application/json",
      };
      const response = await fetch(`${axon}${PATHS.generations}`, {
        method: "POST",
        body,
        headers,
      });
      expect(response.status).toBe(200);
      return decodeGenerationAnswer(await response.json()).images[0];
    };
    const workers = async () => {
      const text = await (await fetch(`${axon}${PATHS.metrics}`)).text();
      return Number(/^stepwise_workers (\d+)/m.exec(text)?.[1]);
    };
    await until(async () => await workers() === 2, "both workers are known");
    // Each worker has one of them when the cable is pulled.
    const running = [make(200), make(200)];
    const busy = async () => (await (await fetch(`${axon}${PATHS.info}`)).json()).capacity.running;
    await until(async () => await busy() === 2, "both run");
    await plug("b", "down");
    expect(new Set((await Promise.all(running)).map(({ id }) => id)).size).toBe(2);
    await until(async () => await workers() === 1, "it is known that one is away");
    await make(3);
    await plug("b", "up");
    await until(async () => await workers() === 2, "it is back by itself");
    await plug("c", "down");
    const { id, token } = await make(3);
    const headers = { authorization: `Bearer ${token}` };
    const opening = await fetch(`${axon}${PATHS.generations}/${id}/steps/0`, { headers });
    expect(opening.status).toBe(200);
    await opening.body?.cancel();
  },
);
