import { expect, test } from "vitest";
import { readEvents } from "../../../server/http/mod.ts";

const LIMITS = { event: 2 ** 20, total: 2 ** 22 };
const CHUNK = 64 * 1024;

/** A server that says this for ever. @returns its body, and how much of it was taken. */
function endless(text: string) {
  let bytes = 0;
  const chunk = new TextEncoder().encode(text.repeat(Math.ceil(CHUNK / text.length)));
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return { body, taken: () => bytes };
}

async function drain(events: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of events) count++;
  return count;
}

test("events come with their names and their JSON, one at a time", async () => {
  const { body } = new Response('event: a\ndata: {"n": 1}\n\n:\n\ndata: [2]\n\n');
  expect(await Array.fromAsync(readEvents({ body }, LIMITS))).toEqual([
    { event: "a", json: { n: 1 } },
    { event: undefined, json: [2] },
  ]);
});

test.each([
  ["a line without an end", "data: 1", LIMITS.event],
  ["an event without an end", `data: ${"1".repeat(1000)}\n`, LIMITS.event],
  ["events without an end", "data: 1\n\n", LIMITS.total],
  ["comments without an end", ":\n\n", LIMITS.total],
])("%s is given up", async (_, text, limit) => {
  const { body, taken } = endless(text);
  await expect(drain(readEvents({ body }, LIMITS))).rejects.toThrow();
  // What the pipe between the two holds besides.
  expect(taken()).toBeLessThan(limit + 16 * CHUNK);
});

test("a reader that has enough ends the answer", async () => {
  const { body, taken } = endless("data: 1\n\n");
  for await (const { json } of readEvents({ body }, LIMITS)) {
    expect(json).toBe(1);
    break;
  }
  expect(taken()).toBeLessThan(16 * CHUNK);
  expect(body.locked).toBe(true);
});
