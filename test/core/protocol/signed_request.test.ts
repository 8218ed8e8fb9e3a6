import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  checkSignedBody,
  MAX_CLOCK_LEAD,
  MAX_REQUEST_AGE,
  readSignedHeaders,
  signedHeaders,
} from "../../../core/protocol/mod.ts";
import { developmentPair } from "../../../server/chain/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const NOW = 1_780_000_000_000;
const SELF = openHotkey("11".repeat(32)).address;
const caller = openHotkey("22".repeat(32));
const body = new TextEncoder().encode(`{"request":{"prompt":"a tau symbol"}}`);
let signed: Record<string, string>;

beforeAll(async () => {
  signed = await signedHeaders(
    { body, signedFor: SELF, now: NOW, uuid: crypto.randomUUID() },
    caller,
  );
});

function take(headers: Record<string, string>, sent: Uint8Array = body, now = NOW): void {
  checkSignedBody(readSignedHeaders(new Headers(headers), SELF, now), sent);
}

test("a signed request is taken", () => {
  expect(() => take(signed)).not.toThrow();
});

test("sr25519 over sha256hex(body).uuid.timestamp.signedFor, as others sign it", async () => {
  const alice = developmentPair("//Alice");
  const uuid = crypto.randomUUID();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", body)).toHex();
  const signature = alice.sign(`${hash}.${uuid}.${NOW}.${SELF}`);
  take({
    "Epistula-Version": "2",
    "Epistula-Timestamp": String(NOW),
    "Epistula-Uuid": uuid,
    "Epistula-Signed-By": alice.address,
    "Epistula-Signed-For": SELF,
    "Epistula-Request-Signature": `0x${signature.toHex()}`,
  });
});

describe("no header may be missing, empty, doubled or too long", () => {
  const names = [
    "epistula-version",
    "epistula-timestamp",
    "epistula-uuid",
    "epistula-signed-by",
    "epistula-signed-for",
    "epistula-request-signature",
  ];
  test.each(names)("%s", (name) => {
    const { [name]: value, ...rest } = signed;
    expect(value).toBeDefined();
    const doubled = new Headers(signed);
    doubled.append(name, value);
    for (
      const headers of [
        rest,
        { ...signed, [name]: "" },
        { ...signed, [name]: value.repeat(9) },
        doubled,
      ]
    ) {
      const error = thrownBy(() => readSignedHeaders(new Headers(headers), SELF, NOW));
      expect(error).toMatchObject({ code: "request_unsigned" });
      expect(String(error)).toContain(name);
    }
  });
});

test("any changed bit of the body is seen (property)", () => {
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.nat(7), (at, bit) => {
      const altered = body.slice();
      altered[at] ^= 1 << bit;
      expect(thrownBy(() => take(signed, altered))).toMatchObject({ code: "signature_invalid" });
    }),
    { numRuns: 30 },
  );
});

test.each([
  ["another caller's name", { "epistula-signed-by": openHotkey("33".repeat(32)).address }],
  ["another uuid", { "epistula-uuid": "00000000-0000-4000-8000-000000000000" }],
  ["another time", { "epistula-timestamp": String(NOW + 1) }],
  ["a signature of zeros", { "epistula-request-signature": `0x${"00".repeat(64)}` }],
  ["an address that is none", { "epistula-signed-by": "5" }],
])("%s is not what was signed", (_, change) => {
  expect(thrownBy(() => take({ ...signed, ...change }))).toMatchObject({
    code: "signature_invalid",
  });
});

test("a request for another is refused before its signature is looked at", () => {
  const error = thrownBy(() => readSignedHeaders(new Headers(signed), caller.address, NOW));
  expect(error).toMatchObject({ code: "request_unsigned" });
});

test.each([
  [MAX_REQUEST_AGE, undefined],
  [MAX_REQUEST_AGE + 1, /8.0 s behind this clock/],
  [-MAX_CLOCK_LEAD, undefined],
  [-MAX_CLOCK_LEAD - 1, /2.0 s ahead of this clock/],
  [120_000, /120.0 s behind this clock .*set the clocks by NTP/],
])("%d ms after it was signed", (later, message) => {
  const read = () => readSignedHeaders(new Headers(signed), SELF, NOW + later);
  if (!message) return expect(read).not.toThrow();
  expect(thrownBy(read)).toMatchObject({
    code: "request_stale",
    message: expect.stringMatching(message),
  });
});
