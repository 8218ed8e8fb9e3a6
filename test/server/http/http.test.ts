import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { MAX_CLOCK_LEAD, MAX_REQUEST_AGE, signedHeaders } from "../../../core/protocol/mod.ts";
import {
  errorResponse,
  LoopLag,
  RateLimit,
  readBody,
  ReplayWindow,
  RequestGuard,
  RetryLater,
} from "../../../server/http/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("ReplayWindow", () => {
  const used = (uuid: string, timestamp = 1000) => ({
    signedBy: "5Abc",
    signedFor: "5Def",
    signature: "",
    uuid,
    timestamp,
  });

  test("takes a uuid once from each signer, also after a restart", () => {
    const path = join(folder, "replay.sqlite");
    {
      using replay = new ReplayWindow(path);
      replay.use(used("a"), 1000);
      replay.use({ ...used("a"), signedBy: "5Other" }, 1000);
      expect(thrownBy(() => replay.use(used("a"), 1001))).toMatchObject({
        code: "request_replayed",
      });
    }
    using again = new ReplayWindow(path);
    expect(thrownBy(() => again.use(used("a"), 1002))).toMatchObject({ code: "request_replayed" });
    again.use(used("b"), 1002);
  });

  test("waits for another process that writes", async () => {
    const path = join(folder, "shared.sqlite");
    using replay = new ReplayWindow(path);
    const writer = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", WRITER, path],
      stdout: "piped",
    }).spawn();
    const lines = writer.stdout.pipeThrough(new TextDecoderStream()).getReader();
    expect((await lines.read()).value).toMatch(/writing/);
    expect(() => replay.use(used("a"), 1000)).not.toThrow();
    await lines.cancel();
    expect((await writer.status).success).toBe(true);
  });

  test("forgets what is too old to be taken", () => {
    using replay = new ReplayWindow(":memory:");
    replay.use(used("a", 1000), 1000);
    for (let k = 0; k < 1000; k++) replay.use(used(`later ${k}`, 60_000), 60_000);
    expect(() => replay.use(used("a", 1000), 60_000)).not.toThrow();
  });
});

/** Holds the file's only right to write for a while. */
const WRITER = `
  import { DatabaseSync } from "node:sqlite";
  const database = new DatabaseSync(Deno.args[0]);
  database.exec("BEGIN IMMEDIATE");
  console.log("writing");
  setTimeout(() => database.exec("COMMIT"), 500);
`;

describe("RequestGuard", () => {
  const [self, caller] = [openHotkey("1".repeat(64)), openHotkey("2".repeat(64))];
  const body = new TextEncoder().encode("{}");
  let now = 1_000_000;
  const guard = () => new RequestGuard(self.address, new ReplayWindow(":memory:"), () => now);
  const signed = async (sent: BodyInit) =>
    new Request("http://miner/", {
      method: "POST",
      body: sent,
      headers: await signedHeaders(
        { body, signedFor: self.address, now, uuid: crypto.randomUUID() },
        caller,
      ),
    });

  test("lets in who signed, once", async () => {
    const own = guard();
    const request = await signed(body);
    const again = request.clone();
    expect(await own.take(request, 10)).toEqual({ signedBy: caller.address, body });
    expect(await rejection(own.take(again, 10))).toMatchObject({ code: "request_replayed" });
  });

  test("what is no signature of any key is the caller's mistake, not ours", async () => {
    const request = await signed(body);
    request.headers.set("epistula-request-signature", `0x${"00".repeat(64)}`);
    expect(await rejection(guard().take(request, 10))).toMatchObject({ code: "signature_invalid" });
  });

  test("a body that takes longer than a request may be old is not taken, nor its copy", async () => {
    const slow = await signed(
      new ReadableStream({
        pull(controller) {
          // A window that is this old has forgotten the uuid of the first copy.
          now += MAX_REQUEST_AGE + MAX_CLOCK_LEAD + 1;
          controller.enqueue(body);
          controller.close();
        },
      }, { highWaterMark: 0 }),
    );
    expect(await rejection(guard().take(slow, 10))).toMatchObject({
      code: "request_stale",
      message: expect.stringMatching(/10\.0 s behind this clock/),
    });
  });

  test("a request that grew old while it waited here is to come again: it is not the caller's fault", async () => {
    const replay = new ReplayWindow(":memory:");
    const late = async (recent: number) => {
      const request = await signed(body);
      now += MAX_REQUEST_AGE + 1;
      return await rejection(
        new RequestGuard(self.address, replay, () => now, { recent }).take(request, 10),
      );
    };
    const error = await late(3000);
    expect(error).toBeInstanceOf(RetryLater);
    expect(error).toMatchObject({
      code: "not_ready",
      message: expect.stringMatching(/busy for 3\.0 s.*sign it again/),
    });
    expect(await late(100)).toMatchObject({ code: "request_stale" });
  });
});

test("LoopLag knows for ten seconds how long this process was busy", () => {
  let now = 0;
  using lag = new LoopLag(() => now);
  expect(lag.recent).toBe(0);
  now += 3250;
  expect(lag.recent).toBe(3000);
  for (let k = 0; k < 90; k++) {
    now += 100;
    expect(lag.recent).toBe(3000);
  }
  for (let k = 0; k < 11; k++, now += 100) void lag.recent;
  expect(lag.recent).toBe(0);
});

describe("readBody", () => {
  const post = (body: BodyInit) => new Request("http://localhost", { method: "POST", body });

  test("up to the limit", async () => {
    expect(await readBody(post(new Uint8Array(10)), 10)).toEqual(new Uint8Array(10));
    expect(await rejection(readBody(post(new Uint8Array(11)), 10)))
      .toMatchObject({ code: "request_too_large" });
  });

  test("not one that is compressed, which says so", async () => {
    const headers = { "content-encoding": "gzip" };
    const request = new Request("http://localhost", { method: "POST", body: "{}", headers });
    expect(await rejection(readBody(request, 10))).toMatchObject({
      code: "invalid_request",
      message: "Cannot take the request: its content-encoding is gzip; send it as it is",
    });
  });

  test("a body that never ends is waited for no longer than its deadline", async () => {
    let left = false;
    const stalled = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => void (left = true),
    });
    expect(await rejection(readBody(post(stalled), 10, 20))).toMatchObject({
      code: "request_late",
      message: "Cannot take the request: its body is not here after 0.02 s",
    });
    expect(left).toBe(true);
    const declared = new Request("http://localhost", {
      method: "POST",
      body: new ReadableStream(),
      headers: { "content-length": "10" },
    });
    expect(await rejection(readBody(declared, 10, 20))).toMatchObject({ code: "request_late" });
  });

  test("an endless body without a length is read no further than the limit", async () => {
    let given = 0;
    const endless = new ReadableStream({
      pull(controller) {
        given += 1000;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    expect(await rejection(readBody(post(endless), 5000))).toMatchObject({
      code: "request_too_large",
    });
    expect(given).toBeLessThan(20_000);
  });
});

test("RateLimit: so many in a window, each key by itself, with the time until the next", () => {
  let now = 0;
  const limit = new RateLimit("open", 2, 1000, () => now);
  limit.take("a");
  limit.take("a");
  limit.take("b");
  now = 400;
  expect(thrownBy(() => limit.take("a"))).toMatchObject({ code: "rate_limited", seconds: 0.6 });
  now = 1000;
  expect(() => limit.take("a")).not.toThrow();
});

test("errors are answered with their status, and our own mistakes are not disclosed", async () => {
  const logged: unknown[] = [];
  const answer = async (error: unknown) => {
    const response = errorResponse(error, (own) => logged.push(own));
    return [response.status, await response.json(), response.headers.get("retry-after")];
  };
  expect(await answer(new AppError("request_stale", "Cannot: late")))
    .toEqual([401, { error: { code: "request_stale", message: "Cannot: late" } }, null]);
  expect(await answer(new RetryLater("queue_full", "Cannot: full", 2.2)))
    .toEqual([429, { error: { code: "queue_full", message: "Cannot: full" } }, "3"]);
  const secret = new Error("a path of ours");
  expect(JSON.stringify(await answer(secret))).not.toContain("path");
  expect(logged).toEqual([secret]);
});
