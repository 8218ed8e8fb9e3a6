import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, test } from "vitest";
import { decodeReceipt } from "../../core/transcript/mod.ts";
import { openVerifier, type Verification } from "../../core/verifier/mod.ts";
import { localHost } from "../../server/compute/host.ts";
import { cpuRuntime } from "../../server/compute/mod.ts";
import { openKnownModel } from "../../server/models/mod.ts";
import { openingsOfFile } from "../../server/verify/opening_source.ts";

// Receipts of version 1, as they were signed before version 2 came: test/golden/README.md.
const FOLDER = new URL("../golden/receipts_v1/", import.meta.url).pathname;

const own = await openKnownModel("embedded");
const verifier = await openVerifier(own);
const engine = await localHost(await cpuRuntime(), "a test").open(own.files);
afterAll(() => engine[Symbol.asyncDispose]());

async function verify(name: string, level: Verification["level"]) {
  const receipt = decodeReceipt(await readFile(`${FOLDER}${name}.json`));
  return await verifier.verify({
    receipt,
    level,
    drawn: { steps: Array.from({ length: receipt.steps }, (_, i) => i), draw: "chosen" },
    source: openingsOfFile(`${FOLDER}${name}.safetensors`),
    image: () => readFile(`${FOLDER}${name}.png`),
    openEngine: () => Promise.resolve(engine),
  });
}

describe.each(["sde_dpmpp", "unipc", "unipc_noise", "euler"])(
  "the receipt %s of version 1",
  (name) => {
    test.each([0, 1, 2, 3] as const)("is honest at level %i, every step opened", async (level) => {
      const report = await verify(name, level);
      expect(report).toMatchObject({ verdict: "honest", reasons: [], level, asked: level });
      expect(report.opened).toHaveLength(report.of);
    });
  },
);
