import { describe, expect, onTestFinished, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { addressOf, PATHS } from "../../../core/protocol/mod.ts";
import { errorResponse } from "../../../server/http/mod.ts";
import {
  errorOf,
  openEndpoint,
  opensAt,
  refusalOf,
  sendSigned,
} from "../../../server/miner/generation_endpoint.ts";

const hotkey = openHotkey("1".repeat(64));

/** A server until the test ends. @returns its address. */
function serving(answer: () => Response): string {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, answer);
  onTestFinished(() => server.shutdown());
  return `http://127.0.0.1:${server.addr.port}`;
}

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

describe("a generator that points elsewhere is not followed", () => {
  const id = "0".repeat(64);
  test.each<[string, (url: string) => Promise<unknown>]>([
    ["when it is opened", (url) => openEndpoint(url, hotkey)],
    [
      "with a signature",
      (url) => sendSigned(hotkey, addressOf(url, PATHS.generations, {}), "POST"),
    ],
    ["with a token", (url) => opensAt({ url } as never, "t".repeat(43), id)],
  ])("%s", async (_, ask) => {
    let sentOn = 0;
    const elsewhere = serving(() => (sentOn++, Response.json({})));
    const headers = { location: elsewhere };
    const url = serving(() => new Response(null, { status: 307, headers }));
    await expect(ask(url)).rejects.toThrow();
    expect(sentOn).toBe(0);
  });
});

test("a generator that says of itself without end is given up", async () => {
  const chunk = new Uint8Array(64 * 1024).fill(0x20);
  const body = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(chunk),
    });
  const url = serving(() => new Response(body()));
  await expect(openEndpoint(url, hotkey)).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(/more than \d+ bytes/),
  });
});
