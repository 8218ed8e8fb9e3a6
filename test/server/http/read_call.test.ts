import { describe, expect, test } from "vitest";
import { callBody, type InputFiles } from "../../../core/protocol/mod.ts";
import { MAX_REQUEST_BYTES } from "../../../core/request_limits.ts";
import { maxCallBytes, readCall, readMultipart } from "../../../server/http/mod.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { rejection } from "../../fixtures/rejection.ts";

const BOUNDARY = "b";
const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const filesOf = (...files: Uint8Array<ArrayBuffer>[]): InputFiles =>
  new Map(files.map((file) => [bytesHash(file), file]));

function posted(body: Uint8Array<ArrayBuffer>, type?: string): Request {
  return new Request("http://miner/", {
    method: "POST",
    body,
    headers: type ? { "content-type": type } : {},
  });
}

function read(body: Uint8Array<ArrayBuffer>, type?: string) {
  return readCall(posted(body, type), body);
}

/** A form of parts as they are written here. */
function form(...parts: readonly string[]): Uint8Array<ArrayBuffer> {
  return bytes(
    parts.map((part) => `--${BOUNDARY}\r\n${part}\r\n`).join("") + `--${BOUNDARY}--\r\n`,
  );
}

const CALL = 'content-disposition: form-data; name="request"\r\n\r\n{}';

describe("a call", () => {
  test("without files is JSON alone, as it always was", () => {
    const { bytes: body, type } = callBody({ request: { prompt: "τ" } });
    expect(new TextDecoder().decode(body)).toBe('{"request":{"prompt":"τ"}}');
    expect(read(body, type)).toEqual({ json: { request: { prompt: "τ" } }, inputs: new Map() });
    // Callers of before named no media type.
    expect(read(body).json).toEqual({ request: { prompt: "τ" } });
  });

  test.each<[string, Uint8Array<ArrayBuffer>[]]>([
    ["one file", [bytes("\x89PNG")]],
    ["several", [bytes("a"), bytes("b"), bytes("c")]],
    ["an empty one", [new Uint8Array()]],
    ["one that looks like a form", [bytes("\r\n--stepwise-x--\r\n\r\n--")]],
    ["one that ends with line breaks", [bytes("x\r\n\r\n")]],
  ])("with %s comes as it was sent", (_, files) => {
    const inputs = filesOf(...files);
    const { bytes: body, type } = callBody({ request: {} }, inputs);
    expect(read(body, type)).toEqual({ json: { request: {} }, inputs });
  });

  test("is read as the web platform writes it", async () => {
    const file = bytes("\x89PNG\r\n");
    const sent = new FormData();
    sent.set("request", '{"request":{}}');
    sent.set(bytesHash(file), new Blob([file]), "x.png");
    const response = new Response(sent);
    const type = response.headers.get("content-type") ?? "";
    expect(read(await response.bytes(), type)).toEqual({
      json: { request: {} },
      inputs: filesOf(file),
    });
  });

  test("may have a longer body only with files", () => {
    expect(maxCallBytes(posted(bytes("{}"), "application/json"))).toBe(MAX_REQUEST_BYTES);
    expect(maxCallBytes(posted(form(CALL), "Multipart/Form-Data; boundary=b")))
      .toBe(MAX_REQUEST_BYTES + 32 * 2 ** 20);
  });
});

const hash = bytesHash(bytes("a"));
const named = (name: string, body: string) =>
  `content-disposition: form-data; name="${name}"; filename="x"\r\n\r\n${body}`;
const type = `multipart/form-data; boundary=${BOUNDARY}`;

describe("a form is refused by name", () => {
  test.each<[string, Uint8Array<ArrayBuffer>, string, RegExp]>([
    ["without a boundary", form(CALL), "multipart/form-data", /names no boundary/],
    ["of another boundary", form(CALL), "multipart/form-data; boundary=other", /is not in it/],
    ["cut short", form(CALL).subarray(0, -6), type, /cut short/],
    ["whose call is missing", form(named(hash, "a")), type, /first part is not request/],
    ["whose call is not JSON", form(`${CALL}}`), type, /not JSON/],
    ["with a file of another name", form(CALL, named("image", "a")), type, /not the SHA-256/],
    ["with a file of another hash", form(CALL, named(hash, "b")), type, /has the hash 3e23e816/],
    ["with one file twice", form(CALL, named(hash, "a"), named(hash, "a")), type, /there twice/],
    ["with too many files", form(CALL, ...Array(33).fill(named(hash, "a"))), type, /more than 33/],
    ["with a part without a name", form(CALL, "x: y\r\n\r\nz"), type, /has no name/],
    ["with an endless head", form(CALL, "x: y".repeat(2000) + "\r\n\r\n"), type, /head has more/],
  ])("%s", async (_, body, contentType, why) => {
    const error = await rejection(Promise.try(() => read(body.slice(), contentType)));
    expect(error.message).toMatch(why);
    expect(["invalid_request", "json_invalid"]).toContain(Object(error).code);
  });

  test("with a call longer than any", async () => {
    const call = CALL.replace("{}", " ".repeat(MAX_REQUEST_BYTES + 1));
    const error = await rejection(Promise.try(() => read(form(call), type)));
    expect(error.message).toMatch(/part request has 524289 bytes/);
  });
});

test("parts are views of the body: a large file is not copied", () => {
  const body = form(CALL);
  const [part] = readMultipart(type, body, 1);
  expect(part.bytes.buffer).toBe(body.buffer);
});
