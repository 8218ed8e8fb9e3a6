import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { AppError, type ErrorCode } from "../../core/error.ts";
import { encodeImage } from "../../core/image/mod.ts";
import { type ModelFiles, readJson } from "../../core/model/mod.ts";
import { decodeSafetensors, encodeSafetensors } from "../../core/safetensors/mod.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { encodeReceipt, type Receipt, receiptId, signWitness } from "../../core/transcript/mod.ts";
import { cpuRuntime } from "../../server/compute/mod.ts";
import { startDevnet } from "../../server/chain/mod.ts";
import { localHost } from "../../server/compute/host.ts";
import { openKnownModel } from "../../server/models/mod.ts";

import { openingsOfFile } from "../../server/verify/opening_source.ts";
import {
  chooseSteps,
  type ChosenSteps,
  type Level,
  openVerifier,
  type Verification,
} from "../../core/verifier/mod.ts";
import {
  finalBlockHash,
  imageOfMiner,
  minerAddress,
  openingsOfMiner,
} from "../../core/protocol/mod.ts";
import { reportText } from "../../server/verify/table.ts";
import { runCli, runProcess } from "../fixtures/cli.ts";
import { serveMiner } from "../fixtures/miner_server.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { rejection } from "../fixtures/rejection.ts";
import { resigned, signedRun, SIGNING_SEED, writeTranscript } from "../fixtures/signed_run.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const own = await openKnownModel("embedded");
const { files } = own;
const facts = await own.facts();
const verifier = await openVerifier(own);
const engine = await localHost(await cpuRuntime(), "a test").open(files);
afterAll(() => engine[Symbol.asyncDispose]());

const STEPS = 6;
const REQUEST = {
  ...{ prompt: "a golden tau symbol in a night sky with stars", seed: "7", steps: STEPS },
  ...{ width: 64, height: 64, guidanceScale: 5, scheduler: "sde-dpmsolver++" },
};
const honest = await signedRun(engine, facts, REQUEST);
const all = Array.from({ length: STEPS }, (_, i) => i);

/** Checks the honest run with every step opened from a file, unless said otherwise. */
async function check(
  { transcript = honest.transcript, image = honest.image, steps = all, ...changes }:
    & Partial<Omit<Verification, "image" | "drawn">>
    & { transcript?: Uint8Array; image?: Uint8Array<ArrayBuffer>; steps?: readonly number[] },
) {
  const given = { ...await order(transcript), image: () => Promise.resolve(image) };
  return await verifier.verify({ ...given, drawn: { steps, draw: "chosen" }, ...changes });
}

async function order(transcript: Uint8Array = honest.transcript): Promise<Verification> {
  const path = await writeTranscript(await temporaryFolder(), transcript);
  return {
    receipt: honest.receipt,
    level: 3,
    drawn: { steps: all, draw: "chosen" },
    source: openingsOfFile(path),
    image: () => Promise.resolve(honest.image),
    openEngine: () => Promise.resolve(engine),
  };
}

/** A model's files, some of them replaced. */
function withFiles(of: ModelFiles, changed: ReadonlyMap<string, Uint8Array>): ModelFiles {
  const text = (path: string) => new TextDecoder().decode(changed.get(path));
  return {
    ...{ name: of.name, location: of.location, variant: of.variant, paths: of.paths },
    has: (path) => of.has(path),
    size: (path) => of.size(path),
    text: (path) => changed.has(path) ? Promise.resolve(text(path)) : of.text(path),
    bytes: (path, range) => of.bytes(path, range),
  };
}

/** The miner signs that something else was asked for than was made. */
function claiming(changes: Readonly<Record<string, unknown>>): Promise<Receipt> {
  const request = { ...honest.receipt.request, ...changes };
  return resigned(honest.receipt, { request });
}

test("an honest run is honest at every step, and the image is its last state", async () => {
  const report = await check({});
  expect(report).toMatchObject({
    verdict: "honest",
    reasons: [],
    level: 3,
    asked: 3,
    opened: all,
    start: { outside: 0 },
    similarity: expect.closeTo(1, 4),
    cost: { openings: STEPS, evaluations: STEPS, share: 1 },
  });
  expect(report.steps.map(({ step }) => step)).toEqual(all);
  for (const row of report.steps) {
    expect(row.outside).toBe(0);
    expect(row.velocityError).toBeLessThan(row.tolerance ?? 0);
  }
  expect(report.image?.psnr ?? Infinity).toBeGreaterThan(50);
});

test("three steps of six cost half of the network's work, and the ends are opened as well", async () => {
  const report = await check({ steps: [1, 2, 4] });
  expect(report).toMatchObject({ verdict: "honest", cost: { openings: 5, evaluations: 3 } });
  expect(report.cost.share).toBe(0.5);
});

test("levels 0 and 1 do not open an engine", async () => {
  const openEngine = () => Promise.reject(new Error("there is none"));
  expect(await check({ level: 0, openEngine })).toMatchObject({ verdict: "honest" });
  const report = await check({ level: 1, openEngine });
  expect(report).toMatchObject({ verdict: "honest", start: { outside: 0 } });
  expect(report.similarity).toBeUndefined();
});

test("a report says how likely it would have found one forged step, as its draw was made", async () => {
  const reportOf = async (level: Level, drawn: ChosenSteps) =>
    await verifier.verify({ ...await order(), level, drawn });
  const drawn = chooseSteps(honest.receipt, { draw: 2 });
  const report = await reportOf(2, drawn);
  // The oddest step and one of the other five.
  expect(report.findsOneForged).toBeCloseTo(1 / 5, 12);
  expect(report.opened).toContain(report.oddest);
  expect(report.meaning).toBe(
    `2 of 6 steps recomputed, the oddest (${report.oddest}) among them; one forged step would be ` +
      "found with 20%, and always where it is the oddest",
  );
  expect(reportText(report)).toContain(report.meaning);
  // Arithmetic alone sees no forged prediction, and who picks steps by hand leaves nothing to chance.
  expect((await reportOf(1, drawn)).findsOneForged).toBeUndefined();
  const chosen = { ...drawn, draw: "chosen" } as const;
  expect((await reportOf(2, chosen)).findsOneForged).toBeUndefined();
  expect((await reportOf(2, chosen)).meaning).toBe(
    "2 of 6 steps recomputed, as chosen: of the others nothing is known",
  );
});

describe("the level of a report is the one that was reached", () => {
  test.each([
    ["no source", { source: undefined }, 0],
    ["no step", { drawn: { steps: [], draw: "chosen" } as const }, 0],
    ["no image", { image: undefined }, 2],
  ])("of 3 asked for with %s", async (_, changes, level) => {
    const report = await verifier.verify({ ...await order(), ...changes });
    expect(report).toMatchObject({ verdict: "honest", level, asked: 3 });
    expect(report.opened).toEqual(level === 0 ? [] : all);
    const text = reportText(report);
    expect(text).toContain(`Level ${level} of 3 asked for: receipt`);
    const { openings, bytes } = report.cost;
    const words = `${openings} opening${openings === 1 ? "" : "s"}, `;
    expect(text).toContain(`Cost: ${words}${bytes.toLocaleString("en-US")} bytes in all, in `);
  });

  test("of refused evidence it is 0, and nothing was opened", async () => {
    const report = await check({ transcript: honest.transcript.slice(0, -100) });
    expect(report).toMatchObject({ verdict: "invalid", level: 0, asked: 3, opened: [] });
  });
});

describe("the checker's own trouble says nothing about the miner", () => {
  const trouble = (code: ErrorCode) => () =>
    Promise.reject(new AppError(code, "Cannot: it is ours"));
  const withFile = (path: string, json: unknown) => {
    const changed = new Map([[path, new TextEncoder().encode(JSON.stringify(json))]]);
    return { ...own, files: withFiles(files, changed) };
  };

  test.each(["encoding_failed", "shape_mismatch", "invalid_config", "inference_failed"] as const)(
    "an engine that fails with %s",
    async (code) => {
      const failing = { predict: trouble(code), decode: trouble(code) };
      const engines = [
        trouble(code),
        () => Promise.resolve(failing),
        () => Promise.resolve({ ...failing, predict: engine.predict.bind(engine) }),
      ];
      for (const openEngine of engines) {
        expect(await rejection(check({ openEngine }))).toMatchObject({ code });
      }
    },
  );

  test("but a last state that overflows the decoder is the miner's, and hides nothing", async () => {
    const overflowing = { predict: engine.predict.bind(engine), decode: trouble("not_finite") };
    const report = await check({ openEngine: () => Promise.resolve(overflowing) });
    expect(report).toMatchObject({ verdict: "suspect", level: 3, image: { psnr: 0 } });
    expect(report.steps.every(({ velocityError }) => velocityError === 0)).toBe(true);
  });

  test("a scheduler of the model that is no plan", async () => {
    const path = "scheduler/scheduler_config.json";
    const model = withFile(path, { ...await readJson(files, path) as object, thresholding: true });
    expect(await rejection(openVerifier(model))).toMatchObject({ code: "unsupported_setting" });
  });

  test("a file of its own that cannot be read", async () => {
    const source = openingsOfFile("/no/such.safetensors");
    expect(await rejection(check({ source }))).toMatchObject({ code: "storage_failed" });
  });
});

describe("a signed lie", () => {
  test.each([
    ["another prompt", { prompt: "a red tau symbol on a white background" }],
    ["another negative prompt", { negativePrompt: "stars" }],
    ["no guidance", { guidanceScale: 1 }],
    ["a little more guidance", { guidanceScale: 6 }],
  ])("%s is suspect, in the network's steps", async (_, changes) => {
    const report = await check({ receipt: await claiming(changes) });
    expect(report.verdict).toBe("suspect");
    expect(report.reasons[0]).toMatch(/^step \d is not what the network predicts: velocity error/);
    expect(report.worst).toBeGreaterThan(1);
    expect(report.steps.every(({ outside }) => outside === 0)).toBe(true);
  });

  test("another seed is invalid, and no network is asked", async () => {
    const report = await check({ receipt: await claiming({ seed: "8" }) });
    expect(report.verdict).toBe("invalid");
    expect(report.reasons[0]).toMatch(/^x_0 is not the seed's noise/);
    expect(report.cost.evaluations).toBe(0);
  });

  test.each([
    ["another scheduler", { scheduler: "euler" }, "its plan"],
    ["a default left open", { prompt2: undefined }, "its request"],
    ["a field of its own", { cfg: 3 }, "cfg is not a field"],
    ["a scheduler that is none", { scheduler: "magic" }, "magic"],
  ])("%s is invalid", async (_, changes, words) => {
    const request = Object.fromEntries(
      Object.entries({ ...honest.receipt.request, ...changes }).filter(([, v]) => v !== undefined),
    ) as Receipt["request"];
    const report = await check({ receipt: await resigned(honest.receipt, { request }) });
    expect(report).toMatchObject({ verdict: "invalid", cost: { openings: 0 } });
    expect(report.reasons[0]).toContain(words);
  });

  test.each([
    ["model files", { model: { ...facts, manifest: "00".repeat(32) } }, "its manifest"],
    [
      "precision",
      { model: { ...honest.receipt.model, precision: "float16" as const } },
      "its precision",
    ],
    ["channels", { latent: [5, 8, 8] as Receipt["latent"] }, "its number of channels"],
    ["time", { times: { started: 0, finished: 9e12 } }, "its time of its end"],
  ])("of its %s is invalid", async (_, changes, words) => {
    const report = await check({ receipt: await resigned(honest.receipt, changes) });
    expect(report).toMatchObject({ verdict: "invalid", code: "receipt_mismatch" });
    expect(report.reasons[0]).toContain(words);
  });

  test("another file in the tree than in the receipt is invalid", async () => {
    const other = await signedRun(engine, facts, REQUEST, { leaf: (file) => file.with(60, 1) });
    for (const steps of [[2], [STEPS - 1]]) {
      const report = await check({ ...other, steps });
      expect(report).toMatchObject({ verdict: "invalid", code: "proof_invalid" });
      expect(report.reasons[0]).toContain("its leaf is not the one that was committed");
    }
  });

  test.each([["png", 0], ["jpeg", 2], ["webp", 20]] as const)(
    "a file that is no %s is invalid",
    async (format, at) => {
      const { width, height } = REQUEST;
      const pixels = { width, height, data: new Uint8ClampedArray(4 * width * height) };
      const file = await encodeImage(pixels, format);
      const other = await signedRun(engine, facts, REQUEST, {
        ...{ format, file: () => file.fill(7, at === 0 ? 40 : at + 20) },
      });
      const report = await check(other);
      expect(report).toMatchObject({ verdict: "invalid", code: "image_not_canonical" });
    },
  );

  test("another image than the decoded one is suspect", async () => {
    const other = await signedRun(engine, facts, REQUEST, {
      pixels: (image) => ({
        ...image,
        data: image.data.map((value, k) => k % 4 === 3 ? value : value ^ 32),
      }),
    });
    const report = await check({ ...other });
    expect(report.verdict).toBe("suspect");
    expect(report.reasons).toEqual([expect.stringMatching(/^the image is not the decoded x_N/)]);
  });
});

describe("evidence that was changed", () => {
  test("an unsigned change of the receipt", async () => {
    const request = { ...honest.receipt.request, prompt: "something else" };
    const report = await check({ receipt: { ...honest.receipt, request } });
    expect(report).toMatchObject({ verdict: "invalid", code: "signature_invalid" });
  });

  test.each([["the first leaf", 0.3], ["a middle one", 0.6], ["the last", 0.9999]])(
    "a flipped bit in %s of the transcript fails every proof",
    async (_, share) => {
      const at = Math.floor(share * honest.transcript.length);
      const transcript = honest.transcript.with(at, honest.transcript[at] ^ 1);
      const report = await check({ transcript, steps: [2], level: 0 });
      expect(report).toMatchObject({ verdict: "invalid", code: "proof_invalid" });
    },
  );

  test("a transcript without one of its leaves", async () => {
    const { tensors, metadata } = decodeSafetensors(honest.transcript);
    const transcript = encodeSafetensors(tensors.filter(({ name }) => name !== "d.3"), metadata);
    const report = await check({ transcript });
    expect(report).toMatchObject({ verdict: "invalid", code: "transcript_invalid" });
    expect(report.reasons[0]).toContain("d.3 is missing");
  });

  test("a transcript that is cut", async () => {
    const report = await check({ transcript: honest.transcript.slice(0, -100) });
    expect(report).toMatchObject({ verdict: "invalid", code: "transcript_invalid" });
  });

  test("another image file", async () => {
    const image = honest.image.with(100, honest.image[100] ^ 1);
    const report = await check({ image });
    expect(report).toMatchObject({ verdict: "invalid", code: "receipt_mismatch" });
    expect(report.reasons[0]).toContain("its image");
  });
});

test("a receipt in another spelling of JSON, as jq writes it, is the same receipt", async () => {
  const path = join(await temporaryFolder(), "r.json");
  const reversed = Object.fromEntries(Object.entries(honest.receipt).reverse());
  await Deno.writeTextFile(path, `${JSON.stringify(reversed, null, 2)}\n`);
  const run = await runCli(["verify", path, "--json"]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(run.stdout)).toMatchObject({ verdict: "honest", level: 0 });
});

test("--witness and --chain draw by the block that a node of the chain has", async () => {
  await using devnet = await startDevnet({ port: 0, blockMs: 50 });
  const folder = await temporaryFolder();
  const id = receiptId(honest.receipt);
  const validator = openHotkey("0d".repeat(32));
  const witness = await signWitness(id, { number: 1, hash: "ab".repeat(32) }, validator);
  const [receipt, transcript, said] = ["r.json", "t.safetensors", "w.json"].map((name) =>
    join(folder, name)
  );
  await Deno.writeFile(receipt, encodeReceipt(honest.receipt));
  await Deno.writeFile(transcript, honest.transcript);
  await Deno.writeTextFile(said, JSON.stringify({ witness }));
  // The third block after the one that was seen.
  const block = await vi.waitFor(() => finalBlockHash(devnet.endpoint, 4, 5000), PATIENCE_MS);
  const run = await runCli([
    ...["verify", receipt, transcript, "--level", "1", "--json"],
    ...["--witness", said, "--chain", devnet.endpoint],
  ]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  const { steps } = chooseSteps(honest.receipt, { blockHash: block });
  expect(JSON.parse(run.stdout)).toMatchObject({
    ...{ verdict: "honest", draw: "public", opened: steps, block: 4, blockHash: block },
    witnessed: { by: validator.address, at: 1, draws: 4 },
  });
});

describe("steps opened by a miner over HTTP", () => {
  /** What an honest miner answers. */
  async function answers(path: string): Promise<Response> {
    if (path === "image") return new Response(honest.image);
    const target = path.replace("steps/", "");
    const named = target === "start" || target === "end" ? target : Number(target);
    const { committed } = verifier.accept(honest.receipt);
    return new Response((await (await kept)(committed, named)).slice());
  }

  const folder = Deno.makeTempDirSync({ prefix: "stepwise-test-" });
  afterAll(() => Deno.remove(folder, { recursive: true }));
  const kept = writeTranscript(folder, honest.transcript).then((path) => openingsOfFile(path));

  async function checkFrom(
    answer: (path: string) => Response | Promise<Response>,
    timeoutMs = 5000,
  ) {
    const miner = minerAddress(serveMiner(answer), timeoutMs);
    return await check({ source: openingsOfMiner(miner), steps: [1, 3] });
  }

  test("are checked as those of a file are", async () => {
    const report = await checkFrom(answers);
    expect(report).toMatchObject({ verdict: "honest", cost: { openings: 4, evaluations: 2 } });
    const miner = minerAddress(serveMiner(answers), 5000);
    expect(await imageOfMiner(miner, honest.receipt)).toEqual(honest.image);
  });

  /** A body of no stated length that never ends. */
  const endless = () =>
    new ReadableStream<Uint8Array>({ pull: (body) => body.enqueue(new Uint8Array(65536)) });
  const busy = (seconds: string, status = 429) =>
    new Response("busy", { status, headers: { "retry-after": seconds } });
  /** Headers, a few bytes, and then nothing. */
  const stuck = () =>
    new ReadableStream<Uint8Array>({ start: (body) => body.enqueue(new Uint8Array(10)) });

  test.each([
    ["too many bytes", () => new Response(new Uint8Array(2 ** 20)), "opening_invalid"],
    ["bytes without end", () => new Response(endless()), "opening_invalid"],
    ["too few bytes", () => new Response(new Uint8Array(100)), "opening_invalid"],
    ["a late answer", () => new Response(stuck()), "opening_withheld"],
    ["no answer", () => new Promise<Response>(() => {}), "opening_withheld"],
    ["a refusal", () => new Response("gone", { status: 410 }), "opening_withheld"],
    ["busy for longer than there is time", () => busy("1000"), "opening_withheld"],
    ["busy for an unknown time", () => busy("soon"), "opening_withheld"],
    // Steps 1 and 2 have openings of one length: what is wrong is said inside.
    [
      "the opening of another step",
      (path: string) => answers(path.replace("steps/1", "steps/2")),
      "opening_mismatch",
    ],
  ])("%s is a failed check", async (_, answer, code) => {
    const report = await checkFrom(answer, 300);
    expect(report).toMatchObject({ verdict: "invalid", code });
    expect(report.reasons[0]).toMatch(/^Cannot (fetch|read|take) .*: /);
  });

  test("a miner that is busy for a moment is asked again", async () => {
    const asked = new Map<string, number>();
    const report = await checkFrom((path) => {
      asked.set(path, (asked.get(path) ?? 0) + 1);
      return asked.get(path) === 1 ? busy("0", path === "steps/1" ? 503 : 429) : answers(path);
    });
    expect(report).toMatchObject({ verdict: "honest", level: 3 });
    const targets = ["start", "1", "3", "end"];
    expect([...asked]).toEqual(targets.map((target) => [`steps/${target}`, 2]));
  });

  test("an image is not fetched before the arithmetic holds", async () => {
    const fetched: string[] = [];
    const image = () => {
      fetched.push("image");
      return Promise.resolve(honest.image);
    };
    const lie = await claiming({ seed: "8" });
    expect(await verifier.verify({ ...await order(), receipt: lie, image }))
      .toMatchObject({ verdict: "invalid", level: 1 });
    expect(fetched).toEqual([]);
    expect(await verifier.verify({ ...await order(), image })).toMatchObject({ verdict: "honest" });
    expect(fetched).toEqual(["image"]);
  });

  test("an unreachable miner is a failed check", async () => {
    const source = openingsOfMiner(minerAddress("http://127.0.0.1:9", 1000));
    expect(await check({ source })).toMatchObject({ verdict: "invalid", code: "opening_withheld" });
  });
});

describe("deno task verify", () => {
  const made = Deno.makeTempDirSync({ prefix: "stepwise-test-" });
  afterAll(() => Deno.remove(made, { recursive: true }));
  const [receipt, transcript, image] = ["r.json", "t.safetensors", "x.png"].map((name) =>
    join(made, name)
  );
  const generate = runCli([
    ...["generate", REQUEST.prompt, "--compute", "cpu", "--width", "64", "--height", "64"],
    ...["--steps", "4", "--seed", "5", "--out", image, "--receipt-out", receipt],
    ...["--transcript-out", transcript, "--json"],
  ], { STEPWISE_SIGNING_SEED: SIGNING_SEED });

  test("generate writes what it checks, signed with the given key", async () => {
    const run = await generate;
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      receipts: [receipt],
      miner: honest.receipt.miner,
    });
    const args = ["verify", receipt, "--transcript", transcript, "--image", image];
    const checked = await runCli([...args, "--compute", "cpu", "--json"]);
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(checked.stdout)).toMatchObject({
      ...{ verdict: "honest", level: 3, draw: "private", miner: honest.receipt.miner, of: 4 },
      cost: { evaluations: 3, share: 0.75 },
    });
    const nobody = await runCli([
      "verify",
      receipt,
      "--from",
      "http://127.0.0.1:9",
      "--compute",
      "cpu",
    ]);
    expect(nobody.code).toBe(4);
    expect(nobody.stdout).toContain("Verdict: invalid, since it was not opened");
    const text = await runCli(
      ["verify", image, transcript, receipt, "--compute", "cpu", "--steps", "all"],
    );
    const meaning = "The image is what the model makes of its prompt and seed";
    for (
      const words of ["velocity error", "tolerance", "Verdict: honest", "4 of 4 steps", meaning]
    ) {
      expect(text.stdout).toContain(words);
    }
  });

  test("each image of a batch has a receipt, and one transcript opens them all", async () => {
    const folder = await temporaryFolder();
    const at = (name: string) => join(folder, name);
    const batch = await runCli([
      ...["generate", REQUEST.prompt, "--compute", "cpu", "--width", "64", "--height", "64"],
      ...["--steps", "2", "--seed", "5", "--batch", "2", "--out", at("x.jpg")],
      ...["--receipt-out", at("r.json"), "--transcript-out", at("t.safetensors")],
    ]);
    expect(batch.stderr).toContain("signed with a key made for this run");
    const given = ["--transcript", at("t.safetensors"), "--compute", "cpu", "--json"];
    const second = await runCli(["verify", at("r-2.json"), "--image", at("x-2.jpg"), ...given]);
    expect(second).toMatchObject({ code: 0, stderr: "" });
    const crossed = await runCli(["verify", at("r-2.json"), "--image", at("x-1.jpg"), ...given]);
    expect(crossed.code).toBe(4);
  });

  test("levels 0 and 1 load no onnxruntime", async () => {
    await generate;
    const at = async (level: string) => {
      const main = new URL("../../server/main.ts", import.meta.url).pathname;
      const args = [
        "run",
        "--node-modules-dir=manual",
        "-A",
        "--deny-ffi",
        main,
        "verify",
        receipt,
      ];
      const more = ["--transcript", transcript, "--compute", "cpu", "--level", level];
      const command = new Deno.Command(Deno.execPath(), { args: [...args, ...more] });
      return (await command.output()).code;
    };
    // Without the right to load native code the first two work and the third cannot.
    expect(await Promise.all([at("0"), at("1"), at("2")])).toEqual([0, 0, 1]);
  });

  test("exit codes distinguish suspect, invalid and bad input", async () => {
    await generate;
    const folder = await temporaryFolder();
    const given = async (name: string, bytes: Uint8Array) => {
      await Deno.writeFile(join(folder, name), bytes);
      return join(folder, name);
    };
    const lie = await given("lie.json", encodeReceipt(await claiming({ guidanceScale: 1 })));
    const open = await given("t.safetensors", honest.transcript);
    const unsigned = { ...honest.receipt, steps: STEPS, root: "00".repeat(32) };
    const bad = await given("bad.json", encodeReceipt(unsigned));
    const cut = await given("cut.json", encodeReceipt(honest.receipt).slice(0, 300));
    const code = async (path: string) =>
      await runProcess(["verify", path, "--transcript", open, "--compute", "cpu"]);
    const [suspect, invalid, input] = await Promise.all([lie, bad, cut].map(code));
    expect([suspect.code, invalid.code, input.code]).toEqual([3, 4, 2]);
    expect(suspect.stdout).toContain("Verdict: suspect");
    expect(invalid.stdout).toContain("its signature is not that of");
    expect(input.stderr).toContain("Cannot read the receipt");
  });

  test("another image than the transcript's is named", async () => {
    await generate;
    const image = join(await temporaryFolder(), "other.png");
    await Deno.writeFile(image, honest.image.with(100, honest.image[100] ^ 1));
    const open = join(await temporaryFolder(), "t.safetensors");
    await Deno.writeFile(open, honest.transcript);
    const kept = join(await temporaryFolder(), "r.json");
    await Deno.writeFile(kept, encodeReceipt(honest.receipt));
    const run = await runCli(["verify", kept, "--transcript", open, "--image", image]);
    expect(run.code).toBe(4);
    expect(run.stdout).toContain("its image is not the expected one");
  });

  test.each([
    [["none.txt"], "none.txt is no receipt, no transcript and no image"],
    [["x.png"], "x.png) is a receipt"],
    [["r.json", "r.json"], "are given as the receipt: give one"],
    [["r.json", "x.png", "--image", "x.png"], "are given as the image: give one"],
    [["r.json", "missing.png"], "missing.png: "],
  ])("verify %j is refused", async (names, words) => {
    await generate;
    await Deno.writeTextFile(join(made, "none.txt"), "Hello");
    const run = await runCli(
      ["verify", ...names.map((name) => name.startsWith("-") ? name : join(made, name))],
    );
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(words);
  });

  test.each([
    [["--steps", "many"], "--steps is many"],
    [["--level", "4"], "--level is 4"],
    [["--level", "2"], "give --from or --transcript"],
    [["--from", "ftp://x"], "--from is ftp://x"],
    [["--from", "http://x", "--timeout", "-1"], "--timeout is -1"],
    [["--block-hash", "12"], `the block's hash is "12", not 64 hexadecimal digits`],
    [["--image", "/no/such.png"], "Cannot read /no/such.png"],
    [["--transcript", "/no/such.safetensors"], "Cannot read /no/such.safetensors"],
    [["--model", "no-such-model"], "Cannot find the model"],
  ])("%j is bad input", async (args, words) => {
    await generate;
    const run = await runCli(["verify", receipt, ...args]);
    expect(run.stderr).toContain(words);
    expect(run.stderr).not.toContain("    at ");
    expect(run).toMatchObject({ code: 2, stdout: "" });
  });
});

test.each(["heun", "lms"])(
  "a run by %s passes in every network call that it made",
  async (scheduler) => {
    const run = await signedRun(engine, facts, { ...REQUEST, steps: 4, scheduler });
    const steps = [...Array(run.receipt.steps).keys()];
    expect(steps).toHaveLength(scheduler === "heun" ? 7 : 4);
    const report = await verifier.verify({
      ...await order(run.transcript),
      receipt: run.receipt,
      image: () => Promise.resolve(run.image),
      drawn: { steps, draw: "chosen" },
    });
    expect(report.verdict).toBe("honest");
    expect(report.steps).toHaveLength(steps.length);
  },
);
