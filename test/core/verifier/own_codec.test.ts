import { afterAll, expect, test, vi } from "vitest";
import { openVerifier } from "../../../core/verifier/mod.ts";
import { localHost } from "../../../server/compute/host.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";

import { openingsOfFile } from "../../../server/verify/opening_source.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { signedRun, writeTranscript } from "../../fixtures/signed_run.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

vi.mock("@jsquash/webp/decode.js", () => ({
  default: () => Promise.reject(new Error("its WebAssembly did not come")),
  init: () => Promise.resolve(),
}));

const own = await openKnownModel("embedded");
const verifier = await openVerifier(own);
const engine = await localHost(await cpuRuntime(), "a test").open(own.files);
afterAll(() => engine[Symbol.asyncDispose]());

test("an image that our codec cannot decode, because it decodes none, is not the miner's fault", async () => {
  const request = { prompt: "a tau symbol", steps: 2, width: 64, height: 64, guidanceScale: 1 };
  const { receipt, image, transcript } = await signedRun(engine, await own.facts(), request, {
    format: "webp",
  });
  const path = await writeTranscript(await temporaryFolder(), transcript);
  const checking = verifier.verify({
    ...{ receipt, level: 3, drawn: { steps: [0, 1], draw: "chosen" } },
    source: openingsOfFile(path),
    image: () => Promise.resolve(image),
    openEngine: () => Promise.resolve(engine),
  });
  expect(await rejection(checking)).toMatchObject({
    code: "encoding_failed",
    message: expect.stringContaining("its WebAssembly did not come"),
  });
});
