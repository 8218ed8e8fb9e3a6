import { afterAll, expect, test } from "vitest";
import { finalBlockHash } from "../../../core/protocol/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";

const HEAD = `0x${"cd".repeat(32)}`;
const DRAWING = `0x${"ab".repeat(32)}`;

/** A node whose last final block is 100, as far as these three questions go. */
const answers: Readonly<Record<string, (params: unknown[]) => unknown>> = {
  chain_getFinalizedHead: () => HEAD,
  chain_getHeader: ([hash]) => hash === HEAD ? { number: "0x64", parentHash: HEAD } : null,
  chain_getBlockHash: ([number]) => number === 99 ? DRAWING : null,
};

function serve(answer: (text: string) => string | undefined) {
  const server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      const text = answer(String(data));
      if (text === undefined) socket.close();
      else socket.send(text);
    };
    return response;
  });
  afterAll(() => server.shutdown());
  return `ws://127.0.0.1:${server.addr.port}`;
}

const node = serve((text) => {
  const { id, method, params } = JSON.parse(text);
  return JSON.stringify({ jsonrpc: "2.0", id, result: answers[method](params) });
});

test("finalBlockHash reads the hash of a block that is final", async () => {
  expect(await finalBlockHash(node, 99, 5000)).toBe("ab".repeat(32));
});

test("a block that is not final yet draws nothing", async () => {
  const error = await rejection(finalBlockHash(node, 101, 5000));
  expect(error).toMatchObject({ code: "challenge_invalid" });
  expect(error.message).toContain("block 101 is not final yet, the last one is 100");
});

test.each([
  ["an answer that is no JSON", serve(() => "no"), "chain_invalid"],
  ["an answer without a hash", serve(() => '{"id":1,"result":"0x12"}'), "chain_invalid"],
  ["a node that hangs up", serve(() => undefined), "chain_unreachable"],
  ["no node", "ws://127.0.0.1:9", "chain_unreachable"],
  ["no address", "the chain", "chain_unreachable"],
])("%s is one error", async (_, url, code) => {
  expect(await rejection(finalBlockHash(url, 99, 5000))).toMatchObject({ code });
});
