import { afterAll, expect, test } from "vitest";
import { fileCheats } from "../../../core/adversary/mod.ts";
import type { RgbaImage } from "../../../core/image/mod.ts";
import { openVerifier } from "../../../core/verifier/mod.ts";
import { localHost } from "../../../server/compute/host.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { openingsOfFile } from "../../../server/verify/opening_source.ts";
import { type RunForgery, signedRun, writeTranscript } from "../../fixtures/signed_run.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const own = await openKnownModel("embedded");
const verifier = await openVerifier(own);
const engine = await localHost(await cpuRuntime(), "a test").open(own.files);
afterAll(() => engine[Symbol.asyncDispose]());

/** What level 3 says of a run whose one step is honest, and whose file is this one. */
async function check(forgery: RunForgery) {
  const request = { prompt: "a tau symbol", steps: 1, width: 64, height: 64, guidanceScale: 1 };
  const { receipt, image, transcript } = await signedRun(
    engine,
    await own.facts(),
    request,
    forgery,
  );
  const path = await writeTranscript(await temporaryFolder(), transcript);
  return await verifier.verify({
    ...{ receipt, level: 3, drawn: { steps: [0], draw: "chosen" } },
    source: openingsOfFile(path),
    image: () => Promise.resolve(image),
    openEngine: () => Promise.resolve(engine),
  });
}

const other = ({ width, height, data }: RgbaImage): RgbaImage => ({
  ...{ width, height },
  data: data.map((value, k) => k % 4 === 3 ? 255 : 255 - value),
});

test.each(["png", "jpeg", "webp"] as const)("level 3 finds our own %s honest", async (format) => {
  expect(await check({ format })).toMatchObject({ verdict: "honest", level: 3 });
});

test.each(["jpeg", "webp"] as const)("level 3 knows a %s of another quality", async (format) => {
  expect(await check({ format, quality: 40 })).toMatchObject({ verdict: "honest", level: 3 });
});

test.each(fileCheats)("a $format with $name is not honest", async ({ format, file }) => {
  const { verdict, code } = await check({ format, encode: (image) => file(image, other(image)) });
  // Refused for what the container holds, for what the decoder finds, or for its pixels.
  expect([verdict, code]).toEqual(
    verdict === "suspect"
      ? ["suspect", undefined]
      : ["invalid", expect.stringMatching(/^(image_not_canonical|encoding_failed)$/)],
  );
});
