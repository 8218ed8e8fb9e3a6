import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { errorResponse, mount, ReplayWindow, RequestGuard } from "../../../server/http/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { pullResults, resultsRoute } from "../../../server/validator/other_half.ts";
import { rejection } from "../../fixtures/rejection.ts";

const [own, stranger] = [openHotkey("1".repeat(64)), openHotkey("2".repeat(64))];

function served(ledger: Ledger): string {
  const app = new Hono();
  app.onError((error) => errorResponse(error, () => {}));
  const guard = new RequestGuard(own.address, new ReplayWindow(":memory:"));
  mount(app, [resultsRoute(guard, ledger)]);
  return serving((request) => app.fetch(request));
}

function serving(answer: (request: Request) => Response | Promise<Response>): string {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, answer);
  onTestFinished(() => server.shutdown());
  return `http://127.0.0.1:${server.addr.port}`;
}

test("what the forwarding half saw reaches the other, from where it left off", async () => {
  let now = 1_000_000;
  using there = new Ledger(":memory:", () => now);
  using here = new Ledger(":memory:", () => now);
  const other = { url: served(there), signedFor: own.address };
  // More than one answer holds.
  for (let k = 0; k < 1500; k++) there.results.served(`r${k}`, "5A"), now++;
  const since = await pullResults(other, here, own, 0);
  expect(here.metrics("5A").served).toBe(1500);
  there.results.failed("late", "5A", "too late");
  // A clock that was a little behind.
  now -= 5000;
  there.results.served("behind", "5A");
  await pullResults(other, here, own, since);
  expect(here.metrics("5A")).toMatchObject({ served: 1501, failed: 1 });
});

test("results are for nobody else", async () => {
  using ledger = new Ledger(":memory:");
  const other = { url: served(ledger), signedFor: own.address };
  const error = await rejection(pullResults(other, ledger, stranger, 0));
  expect(error).toMatchObject({ code: "host_unavailable" });
  expect(error.message).toMatch(/for v1\/results: it answered 403 .* is not this validator/);
});

test("a signed call is not sent on to where its server points", async () => {
  using ledger = new Ledger(":memory:");
  let sentOn = 0;
  const elsewhere = serving(() => (sentOn++, new Response("{}")));
  const redirecting = serving(() =>
    new Response(null, { status: 307, headers: { location: elsewhere } })
  );
  const other = { url: redirecting, signedFor: own.address };
  await expect(pullResults(other, ledger, own, 0)).rejects.toMatchObject({
    code: "host_unavailable",
  });
  expect(sentOn).toBe(0);
});
