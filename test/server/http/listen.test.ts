import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { signedHeaders } from "../../../core/protocol/mod.ts";
import { errorResponse, listen, ReplayWindow, RequestGuard } from "../../../server/http/mod.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";

type Limits = NonNullable<Parameters<typeof listen>[2]>;

/** A server until the test ends, with bounds that are soon reached. */
async function serving(
  handler: Parameters<typeof listen>[1],
  limits: Limits = {},
) {
  const server = await listen({ hostname: "127.0.0.1", port: 0 }, handler, limits);
  let ended = false;
  const end = () => {
    const ending = ended ? Promise.resolve() : server.shutdown();
    ended = true;
    return ending;
  };
  onTestFinished(end);
  return { port: server.addr.port, end, url: `http://127.0.0.1:${server.addr.port}/` };
}

/** A client that sends so much, and reads nothing. */
async function silent(
  port: number,
  sent: string,
): Promise<{ socket: Socket; closed: () => boolean }> {
  const socket = connect(port, "127.0.0.1");
  let closed = false;
  socket.on("close", () => closed = true).on("error", () => {}).pause();
  await new Promise((resolve) => socket.on("connect", resolve));
  socket.write(sent);
  onTestFinished(() => void socket.destroy());
  return { socket, closed: () => closed };
}

const GET = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const big = () => new Response(new Uint8Array(32 << 20));

test("an answer of many slices is whole, with its length", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const whole = new Uint8Array(300_000).map((_, k) => bytes[k % bytes.length]);
  const { url } = await serving(() => new Response(whole, { headers: { etag: "x" } }));
  const response = await fetch(url);
  expect(response.headers.get("content-length")).toBe("300000");
  expect(response.headers.get("etag")).toBe("x");
  expect(await response.bytes()).toEqual(whole);
});

test("a head that is never ended is not waited for", async () => {
  const { port } = await serving(() => new Response(), { headMs: 200 });
  const { socket, closed } = await silent(port, "GET / HTTP/1.1\r\nhost: x\r\nx-half");
  socket.resume();
  await vi.waitUntil(closed, PATIENCE_MS);
});

test("an answer that nobody takes is given up", async () => {
  const signals: AbortSignal[] = [];
  const { port } = await serving((request) => {
    signals.push(request.signal);
    return big();
  }, { stalledMs: 200 });
  const { socket, closed } = await silent(port, GET);
  // The server is the first to end it: nothing of it was taken.
  await vi.waitUntil(() => signals[0]?.aborted, PATIENCE_MS);
  // What was on its way is still read; then it ends.
  let read = 0;
  socket.on("data", (data) => read += data.length).resume();
  await vi.waitUntil(closed, PATIENCE_MS);
  expect(read).toBeLessThan(32 << 20);
});

test("an answer that nobody takes does not keep a server from ending", async () => {
  let asked = 0;
  const { port, end } = await serving(() => {
    asked++;
    return big();
  }, { lastStalledMs: 100 });
  await silent(port, GET);
  await vi.waitUntil(() => asked === 1, PATIENCE_MS);
  await end();
});

test("an answer that is still being made is waited for at the end", async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const { url, end } = await serving(async () => {
    asked++;
    await gate.promise;
    return new Response("made");
  }, { lastStalledMs: 1 });
  const answer = fetch(url);
  await vi.waitUntil(() => asked === 1, PATIENCE_MS);
  const ended = end();
  gate.resolve();
  expect(await (await answer).text()).toBe("made");
  await ended;
});

test("no more connections are open than are allowed", async () => {
  const { port, url } = await serving(() => new Response("here"), { connections: 2 });
  const clients = [await silent(port, ""), await silent(port, "")];
  const third = await silent(port, GET);
  third.socket.resume();
  await vi.waitUntil(third.closed, PATIENCE_MS);
  clients[0].socket.destroy();
  await vi.waitUntil(
    () => fetch(url).then((response) => response.text(), () => "").then((text) => text === "here"),
    PATIENCE_MS,
  );
});

test("wrong signatures of one address shut out that address, and are not looked at", async () => {
  const [self, caller] = ["1", "2"].map((digit) => openHotkey(digit.repeat(64)));
  const guard = new RequestGuard(self.address, new ReplayWindow(":memory:"));
  const { url } = await serving(async (request) => {
    try {
      await guard.take(request, 10);
      return new Response("in");
    } catch (error) {
      return errorResponse(error, () => {});
    }
  });
  const body = new TextEncoder().encode("{}");
  const ask = async (from: string, wrong: boolean) => {
    const signed = await signedHeaders(
      { body, signedFor: self.address, now: Date.now(), uuid: crypto.randomUUID() },
      caller,
    );
    // A proxy on this machine says for whom it asks.
    const headers = {
      ...signed,
      "x-forwarded-for": `10.9.9.9, ${from}`,
      ...(wrong && { "epistula-request-signature": `0x${"00".repeat(64)}` }),
    };
    const { status } = await fetch(url, { method: "POST", body, headers });
    return status;
  };
  for (let k = 0; k < 20; k++) expect(await ask("203.0.113.1", true)).toBe(401);
  expect(await ask("203.0.113.1", true)).toBe(429);
  expect(await ask("203.0.113.1", false)).toBe(429);
  expect(await ask("203.0.113.2", false)).toBe(200);
});
