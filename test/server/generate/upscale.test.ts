import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeInputImage, resize } from "../../../core/image/mod.ts";
import { fileHash } from "../../../core/transcript/mod.ts";
import { runCli } from "../../fixtures/cli.ts";

describe("an image that is enlarged and drawn anew", () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(path(name)));
  const pixels = async (name: string) =>
    await decodeInputImage(await Deno.readFile(path(name)), name);

  async function generate(...flags: readonly string[]) {
    const given = flags.map((flag) => /\.(png|json|safetensors)$/.test(flag) ? path(flag) : flag);
    return await runCli(["generate", ...given, "--compute", "cpu"]);
  }

  async function verify(...flags: readonly string[]) {
    const given = flags.map((flag) => /\.(png|json|safetensors)$/.test(flag) ? path(flag) : flag);
    const result = await runCli(["verify", ...given, "--compute", "cpu", "--json"]);
    return { ...result, report: result.code === 2 ? undefined : JSON.parse(result.stdout) };
  }

  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    const { code, stderr } = await generate(
      ...["a golden tau symbol", "--seed", "5", "--width", "64", "--height", "64", "--steps", "4"],
      ...["--upscale", "1.5", "--refine", "0.5", "--out", "x.png"],
      ...["--receipt-out", "r.json", "--transcript-out", "t.safetensors"],
    );
    expect(code, stderr).toBe(0);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  test("has two receipts, and the second names the first and the enlarged file", async () => {
    const [first, last] = [await read("r-first.json"), await read("r.json")];
    expect(first.request).not.toHaveProperty("parent");
    expect(last.request).toMatchObject({
      ...{ width: 96, height: 96, strength: 0.5, upscaler: "lanczos", seed: "5" },
      image: fileHash(await Deno.readFile(path("x-enlarged.png"))),
    });
    expect(await pixels("x-enlarged.png")).toEqual(
      resize(await pixels("x-first.png"), { width: 96, height: 96 }),
    );
    // int(4 * 0.5) steps, as diffusers counts.
    expect(last.steps).toBe(2);
  });

  test("is honest with its parent, whatever the order of the files", async () => {
    const files = ["x-enlarged.png", "r-first.json", "t.safetensors", "x-first.png", "r.json"];
    const { report } = await verify(...files, "x.png", "--steps", "all");
    expect(report).toMatchObject({
      ...{ verdict: "honest", level: 3, source: { maskDiffering: 0 } },
      parent: { upscaler: "lanczos", image: { psnr: null } },
    });
    const alone = await verify("r.json", "t.safetensors", "x.png", "--level", "1");
    expect(alone.report).toMatchObject({ verdict: "honest", source: null, parent: null });
  });

  test("a receipt that is not its parent is refused, as a file that is not its parent's", async () => {
    const other = await verify("r-first.json", "--parent", "r.json");
    expect(other.stderr).toMatch(/the receipt .{64} is given for its parent, which is none/);
    const files = ["r.json", "t.safetensors", "x.png", "--parent", "r-first.json"];
    const image = await verify(...files, "--parent-image", "x.png");
    expect(image.stderr).toMatch(/a file is given that is not its parent's/);
  });

  test("goes on from an image that is there, with its receipt's prompt", async () => {
    const { code, stderr } = await generate(
      ...[
        "--image",
        "x-first.png",
        "--parent",
        "r-first.json",
        "--upscale",
        "2",
        "--refine",
        "0.3",
      ],
      ...["--steps", "4", "--seed", "6", "--out", "y.png", "--receipt-out", "s.json"],
    );
    expect(code, stderr).toBe(0);
    const { request } = await read("s.json");
    expect(request).toMatchObject({
      ...{ prompt: "a golden tau symbol", width: 128, strength: 0.3, upscaler: "lanczos" },
    });
    const { report } = await verify("s.json", "r-first.json", "y.png");
    expect(report).toMatchObject({ verdict: "honest", level: 0, parent: null });
  });

  test("without --refine it is an enlargement, and says so", async () => {
    const { code, stderr } = await generate(
      "--image",
      "x-first.png",
      "--upscale",
      "2",
      "--out",
      "e.png",
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/e\.png is an enlargement alone: .* no receipt is of it/);
    expect(await pixels("e.png")).toEqual(
      resize(await pixels("x-first.png"), { width: 128, height: 128 }),
    );
  });

  test.each([
    [["a tau", "--refine"], "--refine is of --upscale"],
    [["a tau", "--upscale", "0.5"], "--upscale is 0.5, not a number above 1, at most 8"],
    [["a tau", "--upscale", "2", "--refine", "7"], "--refine is 7, not a number above 0"],
    [["a tau", "--upscale", "2", "--batch", "2"], "--batch is 2"],
    [["--upscale", "2"], "there is no prompt"],
    [["a tau", "--upscale", "2", "--upscaler", "none"], "Cannot find the file none"],
    [["a tau", "--parent", "r.json"], "--parent is the receipt of --image"],
    [
      ["a tau", "--image", "x.png", "--parent", "r-first.json"],
      "receipt of an image with the hash",
    ],
  ])("%j is refused", async (flags, why) => {
    const { code, stderr } = await generate(...flags, "--out", "refused.png");
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(why));
    await expect(Deno.stat(path("refused.png"))).rejects.toThrow();
  });
});
