import { expect, test } from "vitest";
import { resigned, signedRun, writeTranscript } from "../../fixtures/signed_run.ts";
import { golden } from "../../fixtures/golden_models.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { openVerifier } from "../../../core/verifier/mod.ts";
import { localHost } from "../../../server/compute/host.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { openingsOfFile } from "../../../server/verify/opening_source.ts";

/** A change of the request that a miner hides: that it read another prompt, or another guidance. */
const CHANGES = [["prompt", "a ship"], ["guidanceScale", 9]] as const;

test.each(["pipe-sd3", "pipe-flux-dev"])(
  "%s: an honest run is honest at each level, and one of another request is not",
  async (name) => {
    const own = await openKnownModel(golden(`pipelines/${name}`));
    const verifier = await openVerifier(own);
    await using engine = await localHost(await cpuRuntime(), "a test").open(own.files);
    const input = { prompt: "a red bird", steps: 3, width: 64, height: 48, guidanceScale: 4 };
    const { receipt, image, transcript } = await signedRun(engine, await own.facts(), input);
    const path = await writeTranscript(await temporaryFolder(), transcript);
    const check = async (given: typeof receipt, level: 0 | 1 | 2 | 3) =>
      await verifier.verify({
        ...{ receipt: given, level, drawn: { steps: [0, 1, 2], draw: "chosen" } },
        source: openingsOfFile(path),
        image: () => Promise.resolve(image),
        openEngine: () => Promise.resolve(engine),
      });
    for (const level of [0, 1, 2, 3] as const) {
      expect(await check(receipt, level)).toMatchObject({ verdict: "honest", level });
    }
    for (const [field, value] of CHANGES) {
      const request = { ...receipt.request, [field]: value };
      const forged = await resigned(receipt, { request });
      expect(await check(forged, 2), field).toMatchObject({ verdict: "suspect" });
    }
  },
);
