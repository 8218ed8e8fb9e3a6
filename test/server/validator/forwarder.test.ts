import { beforeEach, describe, expect, test, vi } from "vitest";
import { AppError } from "../../../core/error.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { type Hotkey, openHotkey } from "../../../core/keys/mod.ts";
import { systemClock } from "../../../server/validator/clock.ts";
import {
  DEFAULT_FORWARD,
  Forwarder,
  type ForwardOptions,
} from "../../../server/validator/forwarder.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { MinerBusy } from "../../../server/validator/miner_answer.ts";
import {
  type Asked,
  MinerCaller,
  MinerForged,
  MinerRefused,
} from "../../../server/validator/miner_caller.ts";
import type { Peer } from "../../../server/validator/peers.ts";
import { serveMiner } from "../../fixtures/miner_server.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const SCORE: Score = { verdict: "honest", similarity: 1, velocityError: 0, worst: 0, reasons: [] };
const REQUEST = decodeRequest(SMALL_REQUEST, {
  ...{ width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 7n },
});
const keys: readonly Hotkey[] = ["1", "2", "3"].map((digit) => openHotkey(digit.repeat(64)));

type Answer = (peer: Peer, asked: Asked) => Promise<{ id: string; receipt: never; token: string }>;

let ledger: Ledger;
let score: Score;
let random: number;
let now: number;
let open: number;

beforeEach(() => {
  now = Date.now();
  open = 0;
  ledger = new Ledger(":memory:");
  score = SCORE;
  // The best first, and no check.
  random = 0.999;
});

/** An honest answer, as far as anybody sees without recomputing it. */
async function honest(peer: Peer): ReturnType<Answer> {
  const hotkey = keys[peer.uid];
  const image = {
    sha256: bytesHash(SMALL_IMAGE),
    mediaType: "image/png" as const,
    bytes: SMALL_IMAGE.length,
  };
  const receipt = await inventedReceipt(hotkey, SMALL_REQUEST, { image });
  return { id: "0".repeat(64), receipt: receipt as never, token: "t".repeat(43) };
}

function forwarder(answers: readonly Answer[], options: Partial<ForwardOptions> = {}) {
  const url = serveMiner(() => new Response(SMALL_IMAGE));
  const caller = new MinerCaller(openHotkey(undefined));
  const peers = answers.map((_, uid) => ({ uid, hotkey: keys[uid].address, url }));
  const scorer = vi.fn(() => Promise.resolve(score));
  const made = new Forwarder({
    caller: {
      generate: (peer, asked) => answers[peer.uid](peer, asked) as never,
      image: (...of) => caller.image(...of),
      open: () => open,
    },
    ledger,
    scorer,
    ranked: () => peers.map((peer) => ({ peer, reward: 10 - peer.uid, cheated: false })),
    manifest: "ab".repeat(32),
    work: () => 3,
    // Ranks are drawn from the end of the unit interval: 0 takes the best.
    random: () => random,
    clock: { ...systemClock, now: () => now },
    log: () => {},
    options: { ...DEFAULT_FORWARD, hedgeMs: 50, ...options },
  });
  return { made, scorer };
}

/** Answers of a miner that is known: not all of them are checked. */
function known(uid: number): void {
  for (let k = 0; k < 3; k++) {
    ledger.checks.settle({
      id: `k${k}`,
      hotkey: keys[uid].address,
      source: "synthetic",
      score: SCORE,
    });
  }
}

describe("the first answers of a new miner", () => {
  test("are all checked before a user has them", async () => {
    const { made, scorer } = forwarder([honest]);
    const { verdict, image } = await made.generate(REQUEST, "png");
    expect(verdict).toBe("honest");
    expect(image).toEqual(SMALL_IMAGE);
    expect(scorer).toHaveBeenCalledTimes(1);
    expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 1, checks: 1 });
  });

  test("that fail the check never reach a user; another miner's do", async () => {
    random = 0;
    const { made, scorer } = forwarder([honest, honest]);
    scorer.mockResolvedValueOnce({ ...SCORE, verdict: "suspect", reasons: ["step 2"] });
    const { peer } = await made.generate(REQUEST, "png");
    expect(peer.uid).toBe(1);
    expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 0, failed: 1, cheated: true });
  });
});

describe("a miner that is known", () => {
  test("and drifts, or is in doubt, is checked each time", async () => {
    known(0);
    const { made, scorer } = forwarder([honest], { checkShare: 0 });
    await made.generate(REQUEST, "png");
    expect(scorer).toHaveBeenCalledTimes(0);
    // The receipt that the user has, which somebody calls suspect.
    expect(ledger.doubts.raise("0".repeat(64))).toBe(keys[0].address);
    await made.generate(REQUEST, "png");
    expect(scorer).toHaveBeenCalledTimes(1);
  });

  test("is checked as often as the share says", async () => {
    known(0);
    const { made, scorer } = forwarder([honest], { checkShare: 0.25 });
    random = 0.26;
    expect((await made.generate(REQUEST, "png")).verdict).toBeUndefined();
    expect(scorer).not.toHaveBeenCalled();
    random = 0.24;
    expect((await made.generate(REQUEST, "png")).verdict).toBe("honest");
    expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 2, checks: 4 });
  });
});

test("an image that is not the receipt's is a cheat, for longer than in a test", async () => {
  const other: Answer = async (peer) => ({
    ...await honest(peer),
    receipt: await inventedReceipt(keys[0], SMALL_REQUEST) as never,
  });
  const { made } = forwarder([other]);
  const error = await rejection(made.generate(REQUEST, "png"));
  // A 503 says when it is worth another try.
  expect(error).toMatchObject({ code: "no_miner", seconds: expect.any(Number) });
  expect(ledger.metrics(keys[0].address)).toMatchObject({
    ...{ served: 0, failed: 1, cheated: true },
    why: expect.stringMatching(/^invalid: .* its image is not the expected one/),
  });
});

test("so is a receipt of something else than was asked for", async () => {
  const forged: Answer = () =>
    Promise.reject(new MinerForged("miner_failed", "Cannot use the answer: its request"));
  const { made } = forwarder([forged]);
  expect(await rejection(made.generate(REQUEST, "png"))).toMatchObject({ code: "no_miner" });
  expect(ledger.metrics(keys[0].address)).toMatchObject({ failed: 1, cheated: true });
});

test("a miner that fails is penalised, and the next is asked at once", async () => {
  random = 0;
  const broken: Answer = () => Promise.reject(new AppError("miner_failed", "Cannot use it: junk"));
  const { made } = forwarder([broken, honest], { hedgeMs: 60_000 });
  expect((await made.generate(REQUEST, "png")).peer.uid).toBe(1);
  expect(ledger.metrics(keys[0].address).failed).toBe(1);
});

describe("a request that all miners refuse alike", () => {
  const saying = (said: string): Answer => () =>
    Promise.reject(new MinerRefused(`Cannot use it: ${said}`, said, { cause: undefined }));
  const failures = () => keys.map(({ address }) => ledger.metrics(address).failed);

  test.each(["not_finite", "internal"])(
    "by %s fails none of them",
    async (said) => {
      const { made } = forwarder([saying(said), saying(said), saying(said)], { hedgeMs: 60_000 });
      await rejection(made.generate(REQUEST, "png"));
      await made.idle();
      expect(failures()).toEqual([0, 0, 0]);
    },
  );

  test("is the asker's fault where they say so, with their reason", async () => {
    const { made } = forwarder([saying("not_finite"), saying("not_finite")], { hedgeMs: 60_000 });
    expect(await rejection(made.generate(REQUEST, "png"))).toMatchObject({
      code: "not_finite",
      message: "Cannot use it: not_finite",
    });
  });

  test("fails them all where they do not agree, or one of them does not answer", async () => {
    const silent: Answer = () => Promise.reject(new AppError("miner_failed", "Cannot: no answer"));
    const { made } = forwarder([saying("not_finite"), saying("internal"), silent], {
      hedgeMs: 60_000,
    });
    expect(await rejection(made.generate(REQUEST, "png"))).toMatchObject({ code: "no_miner" });
    await made.idle();
    expect(failures()).toEqual([1, 1, 1]);
  });

  test("but one fails that one", async () => {
    random = 0;
    const { made } = forwarder([saying("not_finite"), honest], { hedgeMs: 60_000 });
    await made.generate(REQUEST, "png");
    await made.idle();
    expect(failures()[0]).toBe(1);
  });

  test("by an error of its own fails a miner that is alone", async () => {
    const { made } = forwarder([saying("internal")]);
    await rejection(made.generate(REQUEST, "png"));
    await made.idle();
    expect(failures()[0]).toBe(1);
  });
});

describe("a miner that is busy", () => {
  const busy: Answer = () => Promise.reject(new MinerBusy("miner_failed", "Cannot ask now: 429"));
  const carrying = (carried: number) =>
    ledger.tests.add(keys[0].address, {
      ...{ id: "t", requestsPerSecond: 1, errorRate: 0, requests: 9, carried },
    }, []);

  beforeEach(() => {
    random = 0;
  });

  test("fails nobody while its tests show no room, and the next is asked", async () => {
    const { made } = forwarder([busy, honest], { hedgeMs: 60_000 });
    expect((await made.generate(REQUEST, "png")).peer.uid).toBe(1);
    const { failed, work } = ledger.metrics(keys[0].address);
    expect([failed, work.refused]).toEqual([0, 0]);
  });

  // 3 images' work, times what is free of the 8 at once that it took in its tests.
  test.each([[0, 3], [2, 2.25], [8, 0], [20, 0]])(
    "with %i of ours at once has refused %f images' work",
    async (ours, refused) => {
      carrying(8);
      open = ours;
      const { made } = forwarder([busy, honest], { hedgeMs: 60_000 });
      await made.generate(REQUEST, "png");
      expect(ledger.metrics(keys[0].address).work.refused).toBeCloseTo(refused, 12);
    },
  );
});

test("a slow one gets company; what it brings later is no service to the user", async () => {
  random = 0;
  known(0);
  known(1);
  random = 0;
  const gate = Promise.withResolvers<void>();
  const slow: Answer = async (peer) => {
    await gate.promise;
    return await honest(peer);
  };
  const { made } = forwarder([slow, honest], { checkShare: 0 });
  expect((await made.generate(REQUEST, "png")).peer.uid).toBe(1);
  gate.resolve();
  await made.idle();
  expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 0, failed: 0 });
  expect(ledger.metrics(keys[1].address)).toMatchObject({ served: 1, work: { served: 3 } });
});

test("a user who leaves fails nobody", async () => {
  const leaving = new AbortController();
  const waits: Answer = (_, { signal }) =>
    new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(new AppError("cancelled", "Cannot: gone")))
    );
  const { made } = forwarder([waits]);
  const left = rejection(made.generate(REQUEST, "png", { signal: leaving.signal }));
  leaving.abort();
  expect(await left).toMatchObject({ code: "cancelled" });
  expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 0, failed: 0 });
});

test("nobody serves: it says so", async () => {
  const { made } = forwarder([]);
  expect((await rejection(made.generate(REQUEST, "png"))).message).toBe(
    "Cannot generate: no miner gave a good image (none serves)",
  );
});

describe("a check that this validator cannot make", () => {
  test("keeps the user's image, and is made after a restart", async () => {
    const { made, scorer } = forwarder([honest]);
    scorer.mockRejectedValueOnce(new AppError("host_failed", "Cannot: no GPU"));
    expect((await made.generate(REQUEST, "png")).verdict).toBeUndefined();
    expect(ledger.checks.pending()).toHaveLength(1);
    expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 0, checks: 0 });
    await made.resume();
    expect(ledger.checks.pending()).toEqual([]);
    expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 1, checks: 1 });
  });

  test("is tried again and again, until nobody keeps the steps; then the miner has credit", async () => {
    const { made, scorer } = forwarder([honest]);
    scorer.mockRejectedValue(new AppError("host_failed", "Cannot: no GPU"));
    await made.generate(REQUEST, "png");
    await made.resume();
    expect(scorer).toHaveBeenCalledTimes(2);
    expect(ledger.checks.pending()).toHaveLength(1);
    now += 16 * 60_000;
    await made.resume();
    expect(scorer).toHaveBeenCalledTimes(2);
    expect(ledger.checks.pending()).toEqual([]);
    expect(ledger.metrics(keys[0].address)).toMatchObject({ served: 1, failed: 0, checks: 0 });
  });

  test("has the files that its request names, also after a restart", async () => {
    const inputs = new Map([["ab".repeat(32), Uint8Array.of(1, 2, 3)]]);
    const asked: Asked[] = [];
    const { made, scorer } = forwarder([(peer, call) => (asked.push(call), honest(peer))]);
    scorer.mockRejectedValueOnce(new AppError("host_failed", "Cannot: no GPU"));
    await made.generate(REQUEST, "png", { inputs });
    await made.resume();
    expect(asked).toMatchObject([{ inputs }]);
    const files = scorer.mock.calls.map(([answer]: unknown[]) => Object(answer).inputs);
    expect(files).toEqual([inputs, inputs]);
  });

  test("is not made twice at once", async () => {
    const { made, scorer } = forwarder([honest]);
    const gate = Promise.withResolvers<Score>();
    scorer.mockReturnValueOnce(gate.promise);
    const answered = made.generate(REQUEST, "png");
    await vi.waitUntil(() => ledger.checks.pending().length === 1, PATIENCE_MS);
    await made.resume();
    expect(scorer).toHaveBeenCalledTimes(1);
    gate.resolve(SCORE);
    expect((await answered).verdict).toBe("honest");
  });
});

describe("steps that are done", () => {
  test("are those of the miner that is furthest, never backwards, and none after the image", async () => {
    for (const uid of [0, 1]) known(uid);
    const steps: string[] = [];
    const asked: Asked[] = [];
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held: Answer = async (peer, call) => {
      asked.push(call);
      await gates[peer.uid].promise;
      return await honest(peer);
    };
    const { made } = forwarder([held, held], { hedgeMs: 1 });
    const onStep = ({ step, steps: all }: { step: number; steps: number }) =>
      void steps.push(`${step}/${all}`);
    const image = made.generate(REQUEST, "png", { onStep });
    await vi.waitUntil(() => asked.length === 2, PATIENCE_MS);
    const say = (miner: number, step: number) => asked[miner].onStep?.({ step, steps: 4 });
    say(0, 1), say(1, 1), say(0, 2), say(1, 2), say(1, 3), say(0, 3), say(1, 2);
    expect(steps).toEqual(["1/4", "2/4", "3/4"]);
    gates[1].resolve();
    expect((await image).peer.uid).toBe(1);
    say(0, 4);
    expect(steps).toHaveLength(3);
    gates[0].resolve();
    await made.idle();
  });

  test("come with a preview that is a small PNG, and with nothing else that a miner sends as one", async () => {
    known(0);
    let call: Asked | undefined;
    const gate = Promise.withResolvers<void>();
    const { made } = forwarder([async (peer, asked) => {
      call = asked;
      await gate.promise;
      return await honest(peer);
    }]);
    const seen: unknown[] = [];
    const onStep = ({ preview }: { preview?: string }) => void seen.push(preview);
    const image = made.generate(REQUEST, "png", { onStep, previews: true });
    await vi.waitUntil(() => call, PATIENCE_MS);
    expect(call?.previews).toBe(true);
    const small = `data:image/png;base64,${SMALL_IMAGE.toBase64()}`;
    // IHDR says 65,535 pixels a side.
    const bomb = SMALL_IMAGE.slice();
    bomb.set([0, 0, 255, 255, 0, 0, 255, 255], 16);
    const texts = [
      ...[small, `data:image/png;base64,${bomb.toBase64()}`, "data:image/svg+xml,<svg/>"],
      ...['data:image/png;base64,"><script>', `data:image/png;base64,${"A".repeat(2 ** 21)}`],
    ];
    texts.forEach((text, k) => call?.onStep?.({ step: k + 1, steps: 9, previews: [text] }));
    expect(seen).toEqual([small, undefined, undefined, undefined, undefined]);
    gate.resolve();
    await image;
    await made.idle();
  });

  test("are not asked for by who does not listen", async () => {
    known(0);
    let call: Asked | undefined;
    const { made } = forwarder([(peer, asked) => (call = asked, honest(peer))]);
    await made.generate(REQUEST, "png");
    expect(call?.onStep).toBeUndefined();
  });
});
