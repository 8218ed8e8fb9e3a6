import { PassThrough } from "node:stream";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { encodeFrames, FrameReader } from "../../../core/remote/mod.ts";
import { checkChromeVersion, chromeFlags } from "../../../server/compute/chrome_flags.ts";
import { locateChrome } from "../../../server/compute/chrome_path.ts";
import { pipeTransport } from "../../../server/compute/chrome_pipe.ts";
import { ChromeProcess } from "../../../server/compute/chrome_process.ts";
import { fillOnce } from "../../../server/compute/npm_chromium.ts";
import { makeProfile } from "../../../server/compute/chrome_profile.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

function setEnv(name: string, value: string): void {
  const before = Deno.env.get(name);
  Deno.env.set(name, value);
  onTestFinished(() => before === undefined ? Deno.env.delete(name) : Deno.env.set(name, before));
}

/** A program that is no Chrome. */
async function script(text: string): Promise<string> {
  const path = join(await temporaryFolder(), "chrome");
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

test.each([[1000, 1], [3, 3]])(
  "frames of at most %i bytes carry a message and its bytes in %i pieces",
  (maxBytes, pieces) => {
    const parts = [Uint16Array.of(1, 2, 65535), Uint8ClampedArray.of(7)];
    const frames = encodeFrames({ type: "leaf" }, parts, maxBytes);
    expect(frames).toHaveLength(pieces);
    const reader = new FrameReader();
    const got = frames.map(({ buffer }) => reader.take(buffer));
    expect(got.slice(0, -1).every((frame) => frame === undefined)).toBe(true);
    expect(got.at(-1)?.message).toEqual({ type: "leaf" });
    expect([...got.at(-1)?.payload ?? []]).toEqual([1, 0, 2, 0, 255, 255, 7]);
    expect(got.at(-1)?.payload.byteOffset).toBe(0);
  },
);

test("bytes that are no frame are refused", () => {
  const take = (bytes: Uint8Array<ArrayBuffer>) => () => new FrameReader().take(bytes.buffer);
  expect(thrownBy(take(new Uint8Array(3)))).toMatchObject({ code: "shape_mismatch" });
  expect(thrownBy(take(Uint8Array.of(9, 0, 0, 0, 1))))
    .toMatchObject({ message: "Cannot read a frame: its header is 9 bytes of 5" });
});

test("pipeTransport puts messages together again, wherever the pipe cuts them", () => {
  const [write, read] = [new PassThrough(), new PassThrough()];
  const transport = pipeTransport(write, read);
  const got: string[] = [];
  transport.onmessage = (message) => got.push(message);
  const bytes = new TextEncoder().encode(`{"a":"τ"}\0{}\0{"b`);
  for (const byte of bytes) read.emit("data", Uint8Array.of(byte));
  expect(got).toEqual([`{"a":"τ"}`, "{}"]);
  read.emit("data", new TextEncoder().encode(`":1}\0[1]\0`));
  expect(got.slice(2)).toEqual([`{"b":1}`, "[1]"]);
  transport.send("{}");
  expect(String(write.read())).toBe("{}\0");
});

test("chromeFlags ask for Vulkan on Linux with a GPU and for SwiftShader without", () => {
  expect(chromeFlags("linux", true)).toContain("--enable-features=Vulkan");
  expect(chromeFlags("linux", true).join()).not.toContain("swiftshader");
  expect(chromeFlags("linux", false)).toContain("--use-webgpu-adapter=swiftshader");
  for (const os of ["linux", "darwin", "win32"] as const) {
    expect(chromeFlags(os, true)).toEqual(expect.arrayContaining([
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--disable-default-apps", "--disable-domain-reliability", "--metrics-recording-only"],
    ]));
  }
  expect(chromeFlags("darwin", true).join()).not.toMatch(/vulkan|swiftshader|sandbox/i);
});

test("a Chrome that is too old is refused with its version and what to do", () => {
  expect(checkChromeVersion("Chrome/127.0.1", "/c")).toBeUndefined();
  expect(thrownBy(() => checkChromeVersion("Chrome/113.0.5672.63", "/opt/chrome"))).toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(/\/opt\/chrome is Chrome\/113.*Chrome 127\. Install a newer/),
  });
});

test("no Chrome: the error names the four places and the remedy", async () => {
  setEnv("PATH", "");
  setEnv("CHROME_PATH", "");
  await expect(locateChrome(undefined, () => Promise.resolve(undefined))).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(
      /--chrome-path or CHROME_PATH, none is installed.*@sparticuz\/chromium.*--compute cpu/,
    ),
  });
  const carried = { chrome: "/npm/chromium", libraries: "/npm/lib", vulkanDriver: "/npm/icd" };
  expect(await locateChrome(undefined, () => Promise.resolve(carried)))
    .toEqual({ path: "/npm/chromium", env: { LD_LIBRARY_PATH: "/npm/lib" } });
  await expect(locateChrome("/nowhere")).rejects.toMatchObject({
    code: "host_unavailable",
    message: "Cannot start Chrome: --chrome-path is /nowhere, no file",
  });
  setEnv("CHROME_PATH", "/nowhere");
  await expect(locateChrome()).rejects.toThrow("CHROME_PATH is /nowhere, no file");
});

test("fillOnce: of two that fill a folder at once one stays, whole, and nothing else is left", async () => {
  const place = await temporaryFolder();
  const folder = join(place, "deep", "chromium");
  const fill = (name: string) => async (partial: string) => {
    await Deno.writeTextFile(join(partial, "name"), name);
    await Deno.writeTextFile(join(partial, "also"), name);
  };
  await Promise.all(["one", "other"].map((name) => fillOnce(folder, fill(name))));
  const [name, also] = ["name", "also"].map((file) => Deno.readTextFileSync(join(folder, file)));
  expect(name).toMatch(/^(one|other)$/);
  expect(also).toBe(name);
  const broken = fillOnce(join(place, "deep", "broken"), () => Promise.reject(new Error("full")));
  await expect(broken).rejects.toThrow("full");
  expect([...Deno.readDirSync(join(place, "deep"))].map((entry) => entry.name)).toEqual([
    "chromium",
  ]);
});

test.each([
  ["libnss3.so: cannot open shared object file", "code 127"],
])("a program that fails to start is shown with its own words: %s", async (words, end) => {
  const path = await script(`echo "${words}" >&2; exit 127`);
  const start = ChromeProcess.start({ path, env: {} });
  await expect(start).rejects.toMatchObject({ code: "host_unavailable" });
  await expect(start).rejects.toThrow(`Cannot start Chrome (${path}): Chrome ended with ${end}`);
  await expect(start).rejects.toThrow(words);
});

test("a profile in use stays, and one whose process was killed is removed", async () => {
  await using mine = await makeProfile();
  const abandoned = await Deno.makeTempDir({ prefix: "stepwise-chrome-" });
  await Deno.writeTextFile(join(abandoned, "owner.lock"), "");
  await using _other = await makeProfile();
  expect(Deno.statSync(mine.path).isDirectory).toBe(true);
  expect(() => Deno.statSync(abandoned)).toThrow(Deno.errors.NotFound);
});
