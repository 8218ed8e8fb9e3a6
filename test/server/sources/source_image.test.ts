import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";
import { fileOf, gradient, leftHalf } from "../../fixtures/pictures.ts";

const SIDE = 64;

describe("a run that starts from an image", () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const generate = ["generate", "a golden tau symbol", "--compute", "cpu", "--steps", "5"];
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await Deno.writeFile(path("photo.png"), await fileOf(gradient(SIDE, 40)));
    await Deno.writeFile(path("other.png"), await fileOf(gradient(SIDE, 220)));
    await Deno.writeFile(path("mask.png"), await fileOf(leftHalf(SIDE)));
  });

  afterAll(() => Deno.remove(folder, { recursive: true }));

  async function made(name: string, ...flags: string[]) {
    const { code, stderr } = await runCli([
      ...[...generate, "--seed", "5", "--image", path("photo.png"), "--width", "64"],
      ...["--height", "64", "--out", path(`${name}.png`), "--receipt-out", path(`${name}.json`)],
      ...["--transcript-out", path(`${name}.safetensors`), ...flags],
    ]);
    expect(code, stderr).toBe(0);
    return [`${name}.json`, `${name}.safetensors`, `${name}.png`].map(path);
  }

  test("is honest, and its source is compared where that is given", async () => {
    const files = await made("whole", "--strength", "0.6");
    const verify = ["verify", ...files, "--compute", "cpu", "--json", "--steps", "all"];
    const plain = JSON.parse((await runCli(verify)).stdout);
    // int(5 * 0.6) of the steps, as diffusers counts.
    expect(plain).toMatchObject({ verdict: "honest", level: 3, of: 3, source: null });
    const given = await runCli([...verify, "--source", path("photo.png")]);
    const report = JSON.parse(given.stdout);
    expect(report).toMatchObject({ verdict: "honest", source: { maskDiffering: 0 } });
    expect(report.source.error).toBeLessThan(1e-6);
    const other = await runCli([...verify, "--source", path("other.png")]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/other\.png has the hash .{64}, and the request's image is .{64}/);
  });

  test("keeps what the mask is black for, and is honest", async () => {
    const files = await made("places", "--mask", path("mask.png"));
    const { stdout } = await runCli([
      ...["verify", ...files, "--compute", "cpu", "--json", "--steps", "all"],
      ...["--source", path("photo.png"), "--source-mask", path("mask.png")],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: "honest",
      of: 5,
      source: { maskDiffering: 0 },
    });
  });

  test("a file that is too long is refused unread", async () => {
    await Deno.writeFile(path("long.png"), new Uint8Array());
    await Deno.truncate(path("long.png"), 2 ** 26 + 1);
    const { code, stderr } = await runCli([...generate, "--image", path("long.png")]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/Cannot read the image .*long\.png: it has 67108865 bytes, more than/);
  });

  test.each([
    [["--strength", "0.5"], "strength is .*0.5.* there is no image that it is for"],
    [["--image", "photo.png", "--strength", "0"], "strength is 0, not a number above 0, at most 1"],
    [["--image", "photo.png", "--strength", "0.1"], "less than one of 5 steps"],
    [["--image", "none.png"], "Cannot read the image .*none.png"],
    [["--mask", "mask.png"], "mask is .*there is no image that it is for"],
  ])("%j is refused", async (flags, why) => {
    const given = flags.map((flag) => flag.endsWith(".png") ? path(flag) : flag);
    const { code, stderr } = await runCli([...generate, ...given, "--out", path("refused.png")]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(new RegExp(why));
    await expect(Deno.stat(path("refused.png"))).rejects.toThrow();
  });
});
