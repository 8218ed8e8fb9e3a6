import { expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { checkAttestation } from "../../../core/protocol/mod.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { openVerifier } from "../../../core/verifier/mod.ts";
import { openCompute } from "../../../server/compute/mod.ts";
import { type ChecksParts, contentChecks } from "../../../server/content/checks.ts";
import { Publications } from "../../../server/content/publications.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { openingsOfFile } from "../../../server/verify/opening_source.ts";
import { serveMiner } from "../../fixtures/miner_server.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { resigned, signedRun, writeTranscript } from "../../fixtures/signed_run.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

test("a miner's steps are opened before a piece is taken: all to level 1, a share to level 3", async () => {
  const model = await openKnownModel("embedded");
  await using host = await openCompute("cpu");
  await using engine = await host.open(model.files);
  const run = await signedRun(engine, await model.facts(), {
    ...{ prompt: "a red tau symbol", width: 64, height: 64, steps: 8 },
  });
  const { committed } = (await openVerifier(model)).accept(run.receipt);
  const open = openingsOfFile(
    await writeTranscript(await temporaryFolder(), run.transcript),
    run.image,
  );
  let withheld = false;
  const asked: string[] = [];
  const url = serveMiner(async (path) => {
    asked.push(path);
    if (withheld) return new Response("gone", { status: 404 });
    const [, target] = path.split("/");
    const step = /^\d+$/.test(target) ? Number(target) : target as "start" | "end";
    return new Response(new Uint8Array(await open(committed, step)));
  });
  const checker = openHotkey("77".repeat(32));
  using publications = new Publications(":memory:");
  const { refusals } = publications;
  const secret = new Uint8Array(32).fill(7);
  const parts = (share: number, miner: ChecksParts["miner"] = () => url) => ({
    ...{ miner, share, checker, secret, refusals, now: () => 1_800_000_000_000 },
    ...{ model: () => Promise.resolve(model), engine: () => Promise.resolve(engine) },
  });
  const submission = { receipt: run.receipt, image: run.image, id: receiptId(run.receipt) };
  // Whoever posts a receipt again gets the same check; another server's is another.
  const drawnBy = async (byte: number) => {
    const check = contentChecks({ ...parts(0), secret: new Uint8Array(32).fill(byte) });
    return (await check(submission, undefined)).attestation.steps;
  };
  const drawn = await drawnBy(7);
  expect(drawn).toHaveLength(3);
  const others = [];
  for (let byte = 8; byte < 11; byte++) others.push(await drawnBy(byte));
  expect(new Set([drawn, ...others].map(String)).size).toBeGreaterThan(1);
  for (const [share, level] of [[0, 1], [1, 3]]) {
    const signed = await contentChecks(parts(share))(submission, undefined);
    checkAttestation(signed);
    expect(signed.attestation).toMatchObject({
      ...{ receipt: submission.id, verdict: "honest", level, checker: checker.address },
      steps: drawn,
    });
  }
  // Another run's root under the same picture: what is opened does not belong to it.
  const forged = await resigned(run.receipt, { root: "12".repeat(32) });
  const other = { ...submission, receipt: forged, id: receiptId(forged) };
  expect(await rejection(contentChecks(parts(0))(other, undefined)))
    .toMatchObject({ code: expect.stringMatching(/^(proof|opening)_/) });
  // It stays refused, and its miner is asked nothing; others of the miner are checked to the end.
  asked.length = 0;
  expect(await rejection(contentChecks(parts(0))(other, undefined)))
    .toMatchObject({ code: expect.stringMatching(/^(proof|opening)_/) });
  expect(asked).toEqual([]);
  expect((await contentChecks(parts(0))(submission, undefined)).attestation.level).toBe(3);
  withheld = true;
  expect(await rejection(contentChecks(parts(0))(submission, undefined)))
    .toMatchObject({ code: "opening_withheld" });
  expect(await rejection(contentChecks(parts(0, () => undefined))(submission, undefined)))
    .toMatchObject({ message: expect.stringContaining("is not on the subnet") });
});
