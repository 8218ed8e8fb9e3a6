import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { pinningService } from "../../../server/content/pinning.ts";
import { Publications } from "../../../server/content/publications.ts";
import { Publisher } from "../../../server/content/publisher.ts";
import { listen } from "../../../server/http/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";

/** A service in the shapes of the IPFS Pinning Service API, version 1. */
async function service() {
  const pins: { requestid: string; status: string; pin: { cid: string; name?: string } }[] = [];
  const app = new Hono();
  const unauthorized = { error: { reason: "UNAUTHORIZED", details: "Access token is missing" } };
  app.use(async (context, next) => {
    if (context.req.header("authorization") !== "Bearer secret") {
      return context.json(unauthorized, 401);
    }
    await next();
  });
  const shown = (pin: (typeof pins)[number]) => ({
    ...{ ...pin, created: "2026-11-28T00:00:00Z", delegates: ["/ip4/203.0.113.1/tcp/4001"] },
  });
  app.get("/psa/pins", (context) => {
    const { cid = "", status = "pinned" } = context.req.query();
    const found = pins.filter(({ pin, status: now }) =>
      cid.split(",").includes(pin.cid) && status.split(",").includes(now)
    );
    return context.json({ count: found.length, results: found.map(shown) });
  });
  app.post("/psa/pins", async (context) => {
    const pin = { requestid: `r${pins.length}`, status: "queued", pin: await context.req.json() };
    pins.push(pin);
    return context.json(shown(pin), 202);
  });
  const server = await listen({ hostname: "127.0.0.1", port: 0 }, (request) => app.fetch(request));
  onTestFinished(() => server.shutdown());
  return { pins, url: `http://127.0.0.1:${server.addr.port}/psa/` };
}

test("a batch is asked for once, until it is pinned; what failed is asked for again", async () => {
  const { pins, url } = await service();
  const pinning = pinningService({ url, token: "secret" });
  const batch = { cid: "bafybeib", name: "stepwise batch 1" };
  expect(await pinning.pin(batch)).toBe(false);
  expect(await pinning.pin(batch)).toBe(false);
  expect(pins).toMatchObject([{ pin: batch }]);
  pins[0].status = "failed";
  expect(await pinning.pin(batch)).toBe(false);
  expect(pins).toHaveLength(2);
  pins[1].status = "pinned";
  expect(await pinning.pin(batch)).toBe(true);
  expect(pins).toHaveLength(2);
});

test("a refusal has the service's own words", async () => {
  const { url } = await service();
  expect(await rejection(pinningService({ url, token: "x" }).pin({ cid: "b", name: "n" })))
    .toMatchObject({
      code: "storage_failed",
      message: expect.stringMatching(/it answered 401 UNAUTHORIZED Access token is missing$/),
    });
});

test("a pin that fails keeps none of the others back, and is asked for ever more rarely", async () => {
  using publications = new Publications(":memory:");
  for (const epoch of [1, 2]) publications.addBatch({ epoch, cid: `bafy${epoch}`, root: "" });
  const clock = { now: 0 };
  const asked: string[] = [];
  const pin = ({ cid }: { readonly cid: string }) => {
    asked.push(cid);
    return cid === "bafy1" ? Promise.reject(new Error("full")) : Promise.resolve(true);
  };
  const publisher = new Publisher({
    ...{ publications, pinning: { pin }, now: () => clock.now },
    store: { put: () => expect.fail(), get: () => expect.fail() },
    safety: { screen: () => expect.fail(), screenImage: () => expect.fail() },
  });
  for (let minute = 0; minute < 16; minute++) {
    clock.now = 60_000 * minute;
    await publisher.pin().catch(() => {});
  }
  // At minutes 0, 1, 3, 7 and 15.
  expect(asked).toEqual(["bafy1", "bafy2", "bafy1", "bafy1", "bafy1", "bafy1"]);
});
