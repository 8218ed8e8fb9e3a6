import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeImage, type RgbaImage } from "../../../core/image/mod.ts";
import { checkControlFlags, parseControl } from "../../../server/generate/control_flags.ts";
import { runCli } from "../../fixtures/cli.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const SIDE = 64;

/** A bright square of a width on black: its edges are its outline. */
function square(width: number): RgbaImage {
  const data = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const inside = [i % SIDE, Math.floor(i / SIDE)].every((at) => at >= 8 && at < 8 + width);
    data.set(inside ? [255, 255, 255, 255] : [0, 0, 0, 255], 4 * i);
  }
  return { width: SIDE, height: SIDE, data };
}

describe("a run that a ControlNet steers", () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const files = () => ["run.json", "run.safetensors", "run.png"].map(path);
  const verify = () => ["verify", ...files(), "--compute", "cpu", "--json", "--steps", "all"];
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await Deno.writeFile(path("photo.png"), await encodeImage(square(40), "png"));
    await Deno.writeFile(path("other.png"), await encodeImage(square(30), "png"));
    const control = ["--control", `canny:${path("photo.png")}:0.9::0.8`];
    const { code, stderr } = await runCli([
      ...["generate", "a golden tau symbol", "--compute", "cpu", "--steps", "4", "--seed", "5"],
      ...["--width", "64", "--height", "64", "--out", path("run.png"), ...control, ...control],
      ...["--receipt-out", path("run.json"), "--transcript-out", path("run.safetensors")],
    ]);
    expect(code, stderr).toBe(0);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  test("is named in its receipt, with the hash of the model's own ControlNet", async () => {
    const { request, model } = JSON.parse(await Deno.readTextFile(path("run.json")));
    const use = { network: "embedded", preprocess: "canny", scale: 0.9, start: 0, end: 0.8 };
    expect(request.control).toMatchObject([use, use]);
    expect(model.control).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is honest with its image's file, and asks for it", async () => {
    const { stdout } = await runCli([...verify(), "--control-image", path("photo.png")]);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "honest", level: 3, of: 4 });
    const without = await runCli(verify());
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/the control .{64}: give its file with --control-image/);
    const other = await runCli([...verify(), "--control-image", path("other.png")]);
    expect(other.stderr).toMatch(/other\.png has the hash .{64}, and the control images are/);
    const arithmetic = JSON.parse((await runCli([...verify(), "--level", "1"])).stdout);
    expect(arithmetic).toMatchObject({ verdict: "honest", level: 1 });
  });
});

test.each([
  ["edges.png", { path: "edges.png", preprocess: "none" }],
  ["canny:a photo.jpg:0.8", { path: "a photo.jpg", preprocess: "canny", scale: 0.8 }],
  ["C:\\e.png:1.5::0.5", { path: "C:\\e.png", scale: 1.5, end: 0.5 }],
  ["e.png:0.5:0.1:0.9", { path: "e.png", scale: 0.5, start: 0.1, end: 0.9 }],
])("--control %s is read", (text, expected) => {
  expect(parseControl(text)).toMatchObject(expected);
});

test("numbers that are none, and networks that do not pair up with images, are refused", () => {
  expect(thrownBy(() => parseControl("e.png:0.5.1"))).toMatchObject({ code: "invalid_request" });
  for (const [controls, nets] of [[0, 1], [3, 2], [1, 2]]) {
    const refused = thrownBy(() => checkControlFlags(Array(controls), Array(nets)));
    expect(refused).toMatchObject({ code: "invalid_request" });
  }
  checkControlFlags(Array(3), Array(1));
  checkControlFlags(Array(2), Array(2));
});
