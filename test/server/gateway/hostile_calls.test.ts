import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { DEFAULT_JOBS } from "../../../server/gateway/mod.ts";
import { addKey, appOf, testGateway } from "../../fixtures/gateway.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const KEY = "a-key-of-an-application";
const PATHS = [
  ["POST", "/v1/jobs"],
  ["POST", "/v1/images/generations"],
  ["POST", "/v1/images/edits"],
] as const;
const FIELDS = ["request", "format", "webhook", "prompt", "n", "size", "image", "images", "mask"];
const MORE = ["batch", "width", "seed", "model", "stream", "quality", "scheduler", "adapters"];

/** Anything, half of it under names that count. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      "a tau",
      "64x64",
      "data:image/png;base64,AAAA",
      "data:,",
      "1f".repeat(32),
      "-1",
    ),
    fc.integer({ min: -2, max: 12 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.constantFrom(...FIELDS, ...MORE), tie("value"), { maxKeys: 5 }),
})).object;

const boundary = "multipart/form-data; boundary=b";
const form = fc.array(fc.tuple(fc.constantFrom(...FIELDS, "image[]"), fc.string())).map((parts) =>
  parts.map(([name, text]) =>
    `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
  ).join("") + "--b--\r\n"
);
const body = fc.oneof(
  json.map((value) => [JSON.stringify(value), "application/json"] as const),
  form.map((text) => [text, boundary] as const),
  fc.string().map((text) => [text, boundary] as const),
  fc.string().map((text) => [text, "text/plain"] as const),
);

test("no call that is bad is a mistake of ours, and each is told so in its own interface", async () => {
  // What is good finds no room: nothing is written for it.
  const jobs = { ...DEFAULT_JOBS, queue: 0 };
  const gateway = await testGateway(await temporaryFolder(), { jobs });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  addKey(gateway, KEY);
  const failures: unknown[] = [];
  const app = appOf(gateway, (error) => failures.push(error));
  const call = fc.tuple(fc.constantFrom(...PATHS), body);
  await fc.assert(
    fc.asyncProperty(call, async ([[method, path], [text, type]]) => {
      const headers = { authorization: `Bearer ${KEY}`, "content-type": type };
      const response = await app.request(path, { method, headers, body: text });
      const answer = await response.text();
      expect(response.status, answer).toBeLessThan(500);
      if (response.status < 400) return;
      const { error } = JSON.parse(answer);
      const fields = path === "/v1/jobs"
        ? ["code", "message"]
        : ["code", "message", "param", "type"];
      expect(Object.keys(error).toSorted()).toEqual(fields);
    }),
    { numRuns: 1200 },
  );
  expect(failures).toEqual([]);
});

test("nor is any address, query or header", async () => {
  const gateway = await testGateway(await temporaryFolder());
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  addKey(gateway, KEY);
  const app = appOf(gateway);
  const part = fc.string().map((text) => encodeURIComponent(text.toWellFormed()));
  const path = fc.oneof(
    part.map((id) => `/v1/jobs/${id}`),
    part.map((id) => `/v1/jobs/${id}/events`),
    fc.tuple(part, part).map(([id, n]) =>
      `/v1/jobs/${id}/images/${n}?expires=${n}&signature=${id}`
    ),
    fc.tuple(part, part).map(([state, limit]) => `/v1/jobs?state=${state}&limit=${limit}`),
    part.map((before) => `/v1/jobs?before=${before}`),
    part.map((since) => `/v1/usage?since=${since}`),
    part.map((id) => `/v1/models/${id}`),
  );
  await fc.assert(
    fc.asyncProperty(path, fc.constantFrom("GET", "DELETE"), async (path, method) => {
      const headers = { authorization: `Bearer ${KEY}`, "last-event-id": "x" };
      const response = await app.request(path, { method, headers });
      await response.body?.cancel();
      expect(response.status, `${method} ${path}`).toBeLessThan(500);
    }),
    { numRuns: 800 },
  );
});
