import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import type { HostileInputs } from "../../fixtures/hostile_inputs_main.ts";

const MAIN = new URL("../../fixtures/hostile_inputs_main.ts", import.meta.url).pathname;
let found: HostileInputs;
beforeAll(async () => {
  const flags = ["--node-modules-dir=manual", "-A", "--v8-flags=--max-old-space-size=256"];
  const { stdout } = await promisify(execFile)(Deno.execPath(), ["run", ...flags, MAIN]);
  found = JSON.parse(stdout);
});

const BY_HEADER = /^invalid_request: Cannot take the image: its header has no size of a/;

/** What the command line says; the HTTP border says the same, where nothing else is here. */
const SAID: readonly (readonly [file: string, line: RegExp, http?: RegExp])[] = [
  // No more of it is inflated than its 10 x 10 pixels take.
  ["a bomb: 256 MiB of zeros in a PNG of 10 x 10", /^10x10$/],
  ["a PNG that claims 65535 x 65535", /it is 65535x65535 pixels, at most 4096x4096 are read/],
  ["a JPEG cut in the middle", /it is a JPEG without an end: it was cut off, copy it again/],
  ["a JPEG cut in its header", BY_HEADER],
  ["a JPEG of thousands of scans", /it has 50\d\d scans, at most 100 are read/],
  ["a page behind a PNG's signature", /it is \d+x\d+ pixels, at most 4096x4096 are read/],
  // Phones write more behind the end of a JPEG. It is read as a picture, and given out as bytes.
  ["a picture with an archive behind it", /^64x64$/],
  ["an animated WebP", BY_HEADER],
  ["an SVG of entities", /it is text such as SVG or HTML, not PNG, JPEG or WebP/],
  ["an address", /it is an address: give the file itself/],
  [
    "a PNG of 1 GiB that claims 10 x 10",
    /^invalid_request: Cannot read the image .*: it has 1073741824 bytes, more than 67108864$/,
    /^request_too_large: Cannot take the request: its body has more than \d+ bytes$/,
  ],
  ["a mask of another size", /mask: it is 32x32 pixels, and the image 64x64; draw it on the image/],
];

describe("a file that was made to hurt gets one clear answer", () => {
  const rows = SAID.map(([file, line, http = line]) => ({ file, line, http }));
  test.each(rows)("$file", ({ file, line, http }) => {
    const [atLine, overHttp] = found.said[file];
    expect(atLine).toMatch(line);
    expect(overHttp).toMatch(http);
  });

  test("and each of them is in the table", () => {
    expect(Object.keys(found.said).toSorted()).toEqual(SAID.map(([file]) => file).toSorted());
  });
});

test("none of them takes memory", () => {
  // 6 were seen; the bomb has 256, and a call's body at most 32.5.
  expect(found.grewMiB).toBeLessThan(128);
});
