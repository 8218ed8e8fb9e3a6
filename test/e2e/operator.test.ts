import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startProcess } from "../../server/demo/processes.ts";
import { runCli, runProcess } from "../fixtures/cli.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { MAIN, startSubnet } from "./subnet_processes.ts";

// As a new operator meets it.
const wallet = ["--wallet.hotkey", "//Ferdie", "--subtensor.network", "devnet"];

test("an unregistered hotkey", async () => {
  const subnet = await startSubnet([]);
  for (const role of ["miner", "validator"]) {
    const { code, stderr } = await runCli([
      ...[role, ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Cannot take part: .* is not registered on subnet 1; register it: /m);
  }
});

test("a chain that is not reachable", async () => {
  const { code, stderr } = await runCli([
    ...["miner", ...wallet, "--subtensor.chain_endpoint", "ws://127.0.0.1:9"],
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /Cannot connect to the chain at ws:\/\/127\.0\.0\.1:9: .*is a node there/,
  );
});

test("a clock two minutes off", async () => {
  const subnet = await startSubnet(["//Ferdie"], { clock: () => Date.now() + 120_000 });
  const { code, stderr } = await runCli([
    ...["miner", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/this machine's clock is 1\d\d s behind .* set it by NTP/);
});

test("a port that is taken", async () => {
  const subnet = await startSubnet(["//Ferdie"]);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await runCli([
    ...["validator", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
    ...["--storage", join(subnet.folder, "f"), "--axon.port", String(taken.addr.port)],
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/Cannot serve: port \d+ of 127\.0\.0\.1 is taken .*--axon\.port/);
});

test("no GPU where one is asked for", async () => {
  const subnet = await startSubnet(["//Ferdie"]);
  // No driver is found, whatever this machine has.
  const { code, stderr } = await runProcess([
    ...["miner", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "native"],
    ...["--storage", join(subnet.folder, "f")],
  ], {
    VK_DRIVER_FILES: "/nowhere",
    VK_ICD_FILENAMES: "/nowhere",
    DENO_WEBGPU_BACKEND: "vulkan",
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^Cannot compute natively: Deno finds no WebGPU adapter here\. Install .*--compute cpu\.$/m,
  );
});

test("a host that is none", async () => {
  const { code, stderr } = await runCli(["miner", ...wallet, "--compute", "tpu"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--compute.*tpu/);
});

test("an axon that is not published", async () => {
  const subnet = await startSubnet(["//Ferdie"]);
  await startProcess("miner", [
    ...[MAIN, "miner", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
    ...["--axon.port", "0", "--storage", join(subnet.folder, "f")],
  ], join(subnet.folder, "f.log")).then((started) =>
    onTestFinished(() => started[Symbol.asyncDispose]())
  );
  const log = () => Deno.readTextFile(join(subnet.folder, "f.log"));
  await expect.poll(log, { timeout: PATIENCE_MS }).toMatch(
    /"event":"axon not served".*--axon\.external_ip says where/,
  );
});

test("a flag that is no number", async () => {
  const subnet = await startSubnet(["//Ferdie"]);
  const { code, stderr } = await runCli([
    ...["validator", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie"],
    ...["--neuron.epoch_length", "many"],
  ]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--neuron\.epoch_length is many, not a whole number from 1/);
});
