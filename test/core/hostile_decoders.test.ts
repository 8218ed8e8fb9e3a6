import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Hostility } from "../fixtures/hostile_decoders_main.ts";

const MAIN = new URL("../fixtures/hostile_decoders_main.ts", import.meta.url).pathname;

// The largest input is 600 kB and inflates to 512 MiB. Under 10 MiB are usual; on a busy machine, where
// the collector comes late, 71 were seen.
test("decoders of what peers send end in one error, within their memory, whatever comes", async () => {
  const args = [
    "run",
    "--node-modules-dir=manual",
    "-A",
    "--v8-flags=--max-old-space-size=256",
    MAIN,
  ];
  const { stdout } = await promisify(execFile)(Deno.execPath(), args);
  const { grewMiB, inputs, strange, bombs }: Hostility = JSON.parse(stdout);
  expect(strange).toEqual([]);
  expect(inputs).toBeGreaterThan(3000);
  expect(bombs).toEqual({
    "png of 512 MiB": "encoding_failed",
    "jpeg of another size": "encoding_failed",
    "animated webp": "encoding_failed",
    "webp without a container": "encoding_failed",
    "nested json": "json_invalid",
    "nested receipt": "json_invalid",
    "nested receipt, alone": "receipt_invalid",
    "safetensors without an end": "transcript_invalid",
    "gzipped answer of 512 MiB": "too long",
  });
  expect(grewMiB).toBeLessThan(128);
});
