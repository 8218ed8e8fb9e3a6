import { describe, expect, test } from "vitest";
import { z } from "zod";
import { issueSentence, withoutNulls } from "../../core/json_decoding.ts";
import { decodeAttestation, decodeImageCall, decodeScoreCall } from "../../core/protocol/mod.ts";
import { thrownBy } from "../fixtures/thrown.ts";

test("withoutNulls leaves out what is null at the top, and nothing below", () => {
  expect(withoutNulls({ a: null, b: 0, c: { d: null } })).toEqual({ b: 0, c: { d: null } });
  expect(withoutNulls([null])).toEqual([null]);
  expect(withoutNulls(null)).toBeNull();
});

describe("issueSentence", () => {
  const schema = z.strictObject({
    text: z.string().max(3).optional(),
    count: z.int().min(1).max(9).optional(),
    on: z.boolean().optional(),
    kind: z.enum(["a", "b", "c"]).optional(),
    list: z.array(z.number()).min(1).optional(),
    hash: z.string().regex(/^[0-9a-f]$/, "not a hash").optional(),
    link: z.url().optional(),
    even: z.number().multipleOf(2).optional(),
    one: z.union([z.string(), z.number()]).optional(),
    record: z.record(z.string(), z.unknown()).optional(),
  });

  test.each([
    [{ text: 5 }, "text is 5, not text"],
    [{ text: "long" }, 'text is "long", not 3 or less characters'],
    [{ count: "1" }, 'count is "1", not a number'],
    [{ count: 1.5 }, "count is 1.5, not a whole number"],
    [{ count: 0 }, "count is 0, not 1 or more"],
    [{ count: 10 }, "count is 10, not 9 or less"],
    [{ on: "yes" }, 'on is "yes", not true or false'],
    [{ kind: "d" }, 'kind is "d", not "a", "b" or "c"'],
    [{ list: [] }, "list is [], not 1 or more entries"],
    [{ list: [1, "x"] }, 'list.1 is "x", not a number'],
    [{ hash: "?" }, 'hash is "?", not a hash'],
    [{ link: "here" }, 'link is "here", not an http(s) address'],
    [{ even: 3 }, "even is 3, not a multiple of 2"],
    [{ one: true }, "one is true, not one that is taken"],
    [{ record: [] }, "record is [], not an object"],
    [{ other: 1 }, "other is not a field of what is taken"],
    ["text", 'it is "text", not an object'],
    [null, "it is null, not an object"],
  ])("%j: %s", (json, sentence) => {
    const { error } = schema.safeParse(json);
    expect(error && issueSentence(error.issues[0], json)).toBe(sentence);
  });

  test("shows of a long value only its beginning", () => {
    const json = { count: "x".repeat(1000) };
    const { error } = schema.safeParse(json);
    expect(error && issueSentence(error.issues[0], json).length).toBeLessThan(150);
  });
});

// zod's own sentences; a caller reads none of them.
const RAW =
  /Invalid (input|option|string|value|type)|expected|received|Unrecognized|Too (big|small)/;

test.each([
  ["a format", () => decodeImageCall({ request: {}, format: "gif" })],
  ["a watermark", () => decodeImageCall({ request: {}, watermark: "yes" })],
  ["a request", () => decodeImageCall({ request: 5 })],
  ["no request", () => decodeImageCall({})],
  ["a list", () => decodeImageCall([])],
  ["another field", () => decodeImageCall({ request: {}, size: 5 })],
  ["an address", () => decodeScoreCall({ receipt: {}, url: "miner", token: "x" })],
  ["a token", () => decodeScoreCall({ receipt: {}, url: "http://m", token: "x" })],
  ["a receipt", () => decodeScoreCall({ receipt: {}, url: "http://m", token: "x".repeat(43) })],
  ["an attestation", () => decodeAttestation({ attestation: { version: 2 }, signature: "" })],
])("%s that is wrong is named in our words", (_, decode) => {
  const { message } = thrownBy(decode) as Error;
  expect(message).toMatch(/^Cannot [a-z ]+: \S+ is .+/);
  expect(message).not.toMatch(RAW);
});

test("what is null in a call counts as left out", () => {
  expect(decodeImageCall({ request: { prompt: "a" }, format: null, watermark: null }))
    .toEqual({ request: { prompt: "a" }, watermark: false });
});
