import { expect, test } from "vitest";
import { errorResponse } from "../../../server/http/mod.ts";
import { errorOf, refusalOf } from "../../../server/miner/generation_endpoint.ts";

test.each([
  ["invalid_request", "invalid_request", 400],
  ["queue_full", "queue_full", 429],
  ["not_ready", "not_ready", 503],
  // What a generator answers for its own mistakes, what another version may, and nonsense.
  ["internal", "host_failed", 500],
  ["of_another_version", "host_failed", 500],
  ["toString", "host_failed", 500],
  [7, "host_failed", 500],
])("a generator's error %s reaches the caller as %s", async (code, answered, status) => {
  const response = errorResponse(errorOf({ code, message: "Cannot do it" }), () => {});
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ error: { code: answered, message: "Cannot do it" } });
});

test("an answer that is no error of ours is named by its status", async () => {
  const error = await refusalOf(new Response("<html>", { status: 502 }));
  expect(error.message).toBe("it answered 502");
});
