import { describe, expect, onTestFinished, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import {
  drawBlockOf,
  type Receipt,
  receiptId,
  signReceipt,
  type UnsignedReceipt,
} from "../../../core/transcript/mod.ts";
import { maxCallBytes, readCall, RequestGuard } from "../../../server/http/mod.ts";
import { MinerBusy } from "../../../server/validator/miner_answer.ts";
import { MinerCaller, MinerForged, MinerRefused } from "../../../server/validator/miner_caller.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { inventedReceipt, SMALL_IMAGE, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const [miner, validator] = [openHotkey("1".repeat(64)), openHotkey("2".repeat(64))];
const TOKEN = "t".repeat(43);
const ASKED = { request: SMALL_REQUEST, format: "png" as const, timeoutMs: 5000 };

/** A miner that answers so until the test ends. */
function served(answer: (request: Request) => Response | Promise<Response>) {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, answer);
  onTestFinished(() => server.shutdown());
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { peer: { uid: 1, hotkey: miner.address, url }, caller: new MinerCaller(validator) };
}

async function signed(more: Partial<Receipt> = {}, hotkey = miner) {
  const image = {
    sha256: bytesHash(SMALL_IMAGE),
    mediaType: "image/png" as const,
    bytes: SMALL_IMAGE.length,
  };
  const validated = { validator: validator.address, image };
  const receipt = await inventedReceipt(hotkey, SMALL_REQUEST, { ...validated, ...more });
  return { id: receiptId(receipt), receipt, token: TOKEN };
}

type Full = Extract<Receipt, { readonly version: 2 }>;

async function resigned(unsigned: UnsignedReceipt) {
  const receipt = await signReceipt(unsigned, miner.sign);
  return { id: receiptId(receipt), receipt, token: TOKEN };
}

const answerOf = (image: unknown) => Response.json({ id: "job", images: [image], notices: [] });

describe("generate", () => {
  test("takes a receipt of this very request, for this very validator", async () => {
    const image = await signed();
    const { peer, caller } = served(() => answerOf(image));
    expect((await caller.generate(peer, ASKED)).receipt).toEqual(image.receipt);
  });

  test("sends a request's files beside it, under its signature", async () => {
    const image = await signed();
    const files = [SMALL_IMAGE, Uint8Array.of(13, 10, 45, 45)];
    const inputs = new Map(files.map((file) => [bytesHash(file), file]));
    const guard = new RequestGuard(miner.address, { use: () => {} } as never);
    const taken: unknown[] = [];
    const { peer, caller } = served(async (request) => {
      const { signedBy, body } = await guard.take(request, maxCallBytes(request));
      taken.push({ signedBy, ...readCall(request, body) });
      return answerOf(image);
    });
    await caller.generate(peer, { ...ASKED, inputs });
    const json = { request: SMALL_REQUEST, format: "png" };
    expect(taken).toEqual([{ signedBy: validator.address, json, inputs }]);
  });

  test("witnesses the receipt by the newest block, as the validator that asked", async () => {
    const image = await signed();
    const { peer } = served(() => answerOf(image));
    const block = { number: 4_000_000, hash: "ab".repeat(32) };
    const caller = new MinerCaller(validator, Date.now, () => Promise.resolve(block));
    const { witness } = await caller.generate(peer, ASKED);
    expect(witness).toMatchObject({ receipt: image.id, block, validator: validator.address });
    expect(witness && drawBlockOf(witness, image.id)).toBe(4_000_003);
    // Where no chain is seen there is none.
    const { peer: other, caller: blind } = served(() => answerOf(image));
    expect((await blind.generate(other, ASKED)).witness).toBeUndefined();
  });

  test.each<[string, () => ReturnType<typeof signed>, RegExp]>([
    [
      "another request",
      () => signed({ request: { ...SMALL_REQUEST, seed: "8" } as never }),
      /its request is not/,
    ],
    ["another validator", () => signed({ validator: miner.address }), /its validator is not/],
    ["another miner", () => signed({}, validator), /its miner is not/],
    ...(["sketch", "backend"] as const).map((field) =>
      [
        `no ${field}`,
        async () => {
          const { [field]: _, signature: __, ...unsigned } = (await signed()).receipt as Full;
          return resigned(unsigned);
        },
        new RegExp(`it has no ${field}`),
      ] as [string, () => ReturnType<typeof signed>, RegExp]
    ),
    [
      "an older version",
      async () => {
        const { sketch: _, backend: __, signature: ___, ...unsigned } = (await signed())
          .receipt as Full;
        return resigned({ ...unsigned, version: 1 });
      },
      /of version 1, not 2/,
    ],
    [
      "none that is signed",
      async () => {
        const { receipt, ...rest } = await signed();
        const other = { ...receipt, root: "00".repeat(32) };
        return { ...rest, receipt: other, id: receiptId(other) };
      },
      /signature/,
    ],
    [
      "no signature of any key",
      async () => {
        const { receipt, ...rest } = await signed();
        return { ...rest, receipt: { ...receipt, signature: "00".repeat(64) } };
      },
      /signature/,
    ],
  ])("calls a receipt of %s a forgery", async (_, make, why) => {
    const image = await make();
    const { peer, caller } = served(() => answerOf(image));
    const error = await rejection(caller.generate(peer, ASKED));
    expect(error).toBeInstanceOf(MinerForged);
    expect((error as MinerForged).score).toMatchObject({
      verdict: "invalid",
      reasons: [expect.stringMatching(why)],
    });
  });

  test("a model of another version is a failure: the request does not name one", async () => {
    const image = await signed();
    const { peer, caller } = served(() => answerOf(image));
    const error = await rejection(caller.generate(peer, { ...ASKED, manifest: "cd".repeat(32) }));
    expect(error).not.toBeInstanceOf(MinerForged);
    expect(error).toMatchObject({
      code: "miner_failed",
      message: expect.stringMatching(/its model is not this validator's: invented/),
    });
  });

  test.each<[string, () => Response, typeof MinerBusy | undefined]>([
    ["a 429 is an honest refusal", () => new Response("", { status: 429 }), MinerBusy],
    ["a 503 is an honest refusal", () => new Response("", { status: 503 }), MinerBusy],
    ["a 500 is a failure", () => new Response("", { status: 500 }), undefined],
    ["garbage is a failure", () => new Response("<html>"), undefined],
  ])("%s, and no forgery", async (_, answer, kind) => {
    const { peer, caller } = served(answer);
    const error = await rejection(caller.generate(peer, ASKED));
    expect(error).toMatchObject({ code: "miner_failed" });
    expect(error).not.toBeInstanceOf(MinerForged);
    expect(error instanceof MinerBusy).toBe(kind === MinerBusy);
  });
});

describe("a miner that is asked for its steps", () => {
  const event = (name: string, data: unknown) =>
    `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const headers = { "content-type": "text/event-stream" };
  const asking = (steps: unknown[] = []) => ({
    ...ASKED,
    onStep: (progress: unknown) => void steps.push(progress),
  });

  test("says them before its answer", async () => {
    const image = await signed();
    const seen: (string | null)[] = [];
    const { peer, caller } = served((request) => {
      seen.push(request.headers.get("accept"));
      const events = [
        event("queued", { id: "job", position: 0 }),
        event("progress", { id: "job", step: 1, steps: 4 }),
        event("done", { id: "job", images: [image], notices: [] }),
      ];
      return new Response(events.join(""), { headers });
    });
    const steps: unknown[] = [];
    expect((await caller.generate(peer, asking(steps))).receipt).toEqual(image.receipt);
    expect(steps).toEqual([{ step: 1, steps: 4 }]);
    expect(seen).toEqual(["text/event-stream"]);
  });

  test("gives pictures with them to who asks for these, and few enough of them", async () => {
    const image = await signed();
    const asked: unknown[] = [];
    const picture = `data:image/png;base64,${"A".repeat(700_000)}`;
    const { peer, caller } = served(async (request) => {
      const call = await request.json();
      asked.push(call.previews);
      const steps = call.previews ? 3 : 0;
      const events = [
        ...Array.from(
          { length: steps },
          (_, k) => event("progress", { step: k + 1, steps: 4, previews: [picture] }),
        ),
        event("done", { id: "job", images: [image], notices: [] }),
      ];
      return new Response(events.join(""), { headers });
    });
    const steps: unknown[] = [];
    await caller.generate(peer, { ...asking(steps), previews: true });
    await caller.generate(peer, { ...ASKED, previews: true });
    expect(asked).toEqual([true, undefined]);
    expect(steps).toHaveLength(3);
  });

  test("may answer at once", async () => {
    const image = await signed();
    const { peer, caller } = served(() => answerOf(image));
    expect((await caller.generate(peer, asking())).receipt).toEqual(image.receipt);
  });

  test.each<[string, string, "busy" | "refused" | "failed"]>([
    ["queue_full", event("error", { error: { code: "queue_full", message: "" } }), "busy"],
    ["not_ready", event("error", { error: { code: "not_ready", message: "" } }), "busy"],
    ["a failure", event("error", { error: { code: "inference_failed", message: "" } }), "refused"],
    ["a code of its own", event("error", { error: { code: "constructor" } }), "refused"],
    ["an error of nothing", event("error", null), "refused"],
    ["no step", event("progress", { step: 5, steps: 4 }), "failed"],
    ["no JSON", "event: done\ndata: {\n\n", "failed"],
    ["no end", event("queued", { id: "job", position: 0 }), "failed"],
  ])("is judged as by its status: %s", async (_, events, kind) => {
    const { peer, caller } = served(() => new Response(events, { headers }));
    const error = await rejection(caller.generate(peer, asking()));
    expect(error).toMatchObject({ code: "miner_failed" });
    expect(error).not.toBeInstanceOf(MinerForged);
    expect(error instanceof MinerBusy).toBe(kind === "busy");
    expect(error instanceof MinerRefused).toBe(kind === "refused");
  });
});

describe("image", () => {
  test("is the receipt's file", async () => {
    const { peer, caller } = served(() => new Response(SMALL_IMAGE));
    expect((await caller.image(peer, await signed(), 5000)).bytes).toEqual(SMALL_IMAGE);
  });

  test.each([
    ["another file", "an imagE"],
    ["a longer file", "an image and more"],
    ["a shorter file", "an"],
  ])("%s is a forgery", async (_, text) => {
    const { peer, caller } = served(() => new Response(text));
    expect(await rejection(caller.image(peer, await signed(), 5000))).toBeInstanceOf(MinerForged);
  });

  test("none at all is a failure, and no forgery", async () => {
    const { peer, caller } = served(() => new Response("", { status: 404 }));
    const error = await rejection(caller.image(peer, await signed(), 5000));
    expect(error).toMatchObject({ code: "miner_failed" });
    expect(error).not.toBeInstanceOf(MinerForged);
  });
});
