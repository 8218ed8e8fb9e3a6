import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ModelProgress } from "../../../core/model/model_progress.ts";
import { readLayout } from "../../../core/model/mod.ts";
import { openModel, type OpenModelOptions } from "../../../server/models/mod.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { COMMIT, HubServer } from "../../fixtures/hub_server.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import {
  fetchedFiles,
  neededFiles,
  noise,
  onnx,
  text,
  tinyFile,
  tinyFolder,
} from "../../fixtures/tiny_folder.ts";

let hub: HubServer;
let cacheFolder: string;
let progress: ModelProgress[];
let options: OpenModelOptions;

beforeEach(async () => {
  hub = await HubServer.start(tinyFolder());
  cacheFolder = await Deno.makeTempDir();
  progress = [];
  options = {
    cacheFolder,
    hubEndpoint: hub.endpoint,
    hubToken: "",
    transport: { backoffMs: 5, attempts: 4, stallMs: PATIENCE_MS },
    onProgress: (event) => progress.push(event),
  };
});

afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await Deno.remove(cacheFolder, { recursive: true });
});

const UNET = "unet/model.onnx";

async function unetArrived(source = "hf:acme/tiny"): Promise<void> {
  const files = await openModel(source, options);
  expect(bytesHash(await files.bytes(UNET))).toBe(bytesHash(tinyFile(UNET)));
}

function kinds(kind: ModelProgress["kind"]): ModelProgress[] {
  return progress.filter((event) => event.kind === kind);
}

/** Every file below the cache whose name says it is half. */
async function halves(folder = cacheFolder): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) found.push(...await halves(path));
    else if (/\.(part|tmp)/.test(entry.name)) found.push(path);
  }
  return found;
}

describe("a hub's repository", () => {
  test("brings what drawing needs and the encoder, nothing else, under its commit", async () => {
    const files = await openModel("hf:acme/tiny", options);
    expect(files.name).toBe(`hf:acme/tiny@${COMMIT}`);
    expect(files.location).toBe(join(cacheFolder, "hf--acme--tiny--0123456789ab"));
    expect(files.paths).toEqual(fetchedFiles());
    // Its manifest is of what draws an image, as before anybody's could start from one.
    expect((await readLayout(files)).paths).toEqual(neededFiles());
    for (const path of files.paths) {
      expect(bytesHash(await files.bytes(path)), path).toBe(bytesHash(tinyFile(path)));
    }
    expect(await halves()).toEqual([]);
  });

  test("reports bytes and files up to their totals", async () => {
    const files = await openModel("hf:acme/tiny", options);
    const last = progress.filter((event) => event.kind === "download").at(-1);
    const bytes = files.paths.reduce((sum, path) => sum + files.size(path), 0);
    const index = files.size("model_index.json");
    expect(last).toMatchObject({ files: 10, totalFiles: 10 });
    expect(last).toMatchObject({ bytes: bytes - index, totalBytes: bytes - index });
  });

  test("asked for twice at once in one process is fetched once", async () => {
    // The first holds the lock until its stalled request is cut, so that the second has to wait.
    hub.fault(UNET, { stallAfter: 1000, times: 1 });
    const both = Promise.all([
      openModel("hf:acme/tiny", options),
      openModel("hf:acme/tiny", options),
    ]);
    await vi.waitUntil(() => hub.stalled > 0 && kinds("wait").length > 0, {
      timeout: PATIENCE_MS,
      interval: 10,
    });
    hub.cutAll();
    await both;
    expect(kinds("wait")).toHaveLength(1);
    const [whole, ...resumed] = hub.bodies(UNET);
    expect(whole.headers.range).toBeUndefined();
    expect(resumed.map(({ headers }) => headers.range)).toEqual(["bytes=1000-"]);
  });

  test("is fetched once; a branch costs one look-up, a commit none", async () => {
    await openModel("hf:acme/tiny", options);
    hub.seen.length = 0;
    await openModel("hf:acme/tiny", options);
    expect(hub.seen.map((request) => request.path)).toEqual([
      "/api/models/acme/tiny/revision/main",
    ]);
    hub.seen.length = 0;
    await openModel(`hf:acme/tiny@${COMMIT}`, options);
    expect(hub.seen).toEqual([]);
  });

  test("is used offline at the commit the branch last stood for, and says so", async () => {
    await openModel("hf:acme/tiny", options);
    hub.up = false;
    const files = await openModel("hf:acme/tiny@main", options);
    expect(files.name).toContain(COMMIT);
    expect(kinds("note")).toMatchObject([{ message: expect.stringContaining("last looked up") }]);
  });

  test("never fetched and no hub: download_failed with the hub's address", async () => {
    hub.up = false;
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(/Cannot look up hf:acme\/tiny@main at http.*503/),
    });
  });

  test.each(["hf:acme/other", "hf:acme/tiny@v9"])("%s is model_not_found", async (source) => {
    await expect(openModel(source, options)).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining(source),
    });
  });

  test("on a mirror without the listing is asked for file by file", async () => {
    hub.hasApi = false;
    const files = await openModel("hf:acme/tiny", options);
    expect(files.name).toBe(`hf:acme/tiny@${COMMIT}`);
    expect(files.paths).toEqual(fetchedFiles());
  });

  test("the token goes to the hub and not to where it redirects", async () => {
    hub.token = "hf_secret";
    await expect(openModel("hf:acme/tiny", options)).rejects.toThrow(/401.*HF_TOKEN/);
    await openModel("hf:acme/tiny", { ...options, hubToken: "hf_secret" });
    const cdn = hub.seen.filter((request) => request.server === "cdn");
    expect(cdn.length).toBeGreaterThan(2);
    expect(cdn.filter((request) => request.headers.authorization)).toEqual([]);
  });

  test.each(["model.fp16.onnx", "model_fp16.onnx"])("a variant is %s", async (name) => {
    const half = onnx({ location: `${name}_data`, offset: 0, length: 900 });
    hub.set(`unet/${name}`, half);
    hub.set(`unet/${name}_data`, noise(900, 9));
    const files = await openModel("hf:acme/tiny", { ...options, variant: "fp16" });
    const { networks, paths } = await readLayout(files);
    expect(networks.unet).toMatchObject({ graph: `unet/${name}` });
    expect(networks.text_encoder).toMatchObject({ graph: "text_encoder/model.onnx" });
    expect(paths).toContain(`unet/${name}_data`);
    expect(paths).not.toContain("unet/model.onnx");
  });

  test("a variant is taken where a part has it", async () => {
    const half = onnx({ weights: noise(500, 9) });
    hub.set("unet/model.fp16.onnx", half);
    const files = await openModel("hf:acme/tiny", { ...options, variant: "fp16" });
    expect(files.variant).toBe("fp16");
    expect(files.has("unet/model.onnx")).toBe(false);
    expect(files.size("unet/model.fp16.onnx")).toBe(half.length);
    expect(files.has("vae_decoder/model.onnx")).toBe(true);
    await expect(openModel("hf:acme/tiny", { ...options, variant: "int4" })).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("model.int4.onnx"),
    });
  });

  test("external weights are fetched under whatever name the graph gives", async () => {
    hub.set(UNET, onnx({ location: "big.bin", offset: 16, length: 4000 }));
    hub.set("unet/big.bin", noise(4016, 5));
    const files = await openModel("hf:acme/tiny", options);
    expect(files.size("unet/big.bin")).toBe(4016);
  });

  test("external weights outside the model are refused", async () => {
    hub.set(UNET, onnx({ location: "../../../secret", offset: 0, length: 4 }));
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "model_invalid",
    });
  });

  test("external weights that are nowhere are named", async () => {
    hub.set(UNET, onnx({ location: "./big.bin", offset: 16, length: 4000 }));
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "model_invalid",
      message: expect.stringMatching(/unet\/big\.bin, which holds weights of unet\/model\.onnx/),
    });
  });

  test("a pipeline that is not built is refused before any weights come", async () => {
    const index = { _class_name: "FluxFillPipeline", transformer: ["diffusers", "Flux"] };
    hub.set("model_index.json", text(JSON.stringify(index)));
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "unsupported_setting",
      message: expect.stringMatching(
        /hf:acme\/tiny@\w+: its pipeline, FluxFillPipeline, is not built/,
      ),
    });
    expect(hub.seen.filter(({ path }) => path.endsWith(".onnx"))).toEqual([]);
  });

  test("a missing network is named", async () => {
    hub.set(UNET, undefined);
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "model_invalid",
      message: expect.stringMatching(
        /has neither unet\/diffusion_pytorch_model\.safetensors nor unet\/model\.onnx/,
      ),
    });
  });

  test("a copy cut short on disk is fetched again, a changed one with verify", async () => {
    const { location } = await openModel("hf:acme/tiny", options);
    await Deno.truncate(join(location, UNET), 10);
    await unetArrived();
    await Deno.writeFile(join(location, UNET), new Uint8Array(tinyFile(UNET).length));
    const files = await openModel("hf:acme/tiny", { ...options, verify: true });
    expect(bytesHash(await files.bytes(UNET))).toBe(bytesHash(tinyFile(UNET)));
    expect(kinds("note")).toMatchObject([{
      message: expect.stringMatching(/repaired: unet\/model/),
    }]);
  });
});

describe("a web address", () => {
  test("is asked for each file, with and without a slash at its end", async () => {
    const files = await openModel(hub.plain, options);
    expect(files.paths).toEqual(fetchedFiles());
    hub.seen.length = 0;
    await openModel(`${hub.plain}/`, options);
    expect(hub.seen).toEqual([]);
  });

  test("without model_index.json is model_not_found", async () => {
    await expect(openModel(`${hub.plain}/nothing`, options)).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("model_index.json"),
    });
  });
});

describe("a connection that fails", () => {
  test("is resumed after a cut, by range, and not from the start", async () => {
    hub.fault(UNET, { cutAfter: 100_000, times: 2 });
    await unetArrived();
    const ranges = hub.bodies(UNET).map((request) => request.headers.range);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]/), expect.anything()]);
    expect(kinds("retry").length).toBeGreaterThanOrEqual(2);
  });

  test("goes on in the next run from what a failed one kept", async () => {
    hub.fault(UNET, { cutAfter: 0 });
    hub.fault(UNET, { cutAfter: 200_000, times: 1 });
    const stop = new AbortController();
    const onProgress = (event: ModelProgress) => {
      if (event.kind === "retry") stop.abort();
    };
    await expect(openModel("hf:acme/tiny", { ...options, onProgress, signal: stop.signal }))
      .rejects.toMatchObject({ code: "cancelled" });
    expect(await halves()).not.toEqual([]);
    hub.seen.length = 0;
    await unetArrived();
    expect(hub.bodies(UNET)).toMatchObject([{ status: 206 }]);
    expect(await halves()).toEqual([]);
  });

  test("starts over when the server has no ranges", async () => {
    hub.fault(UNET, { ignoreRange: true, cutAfter: 150_000, times: 1 });
    hub.fault(UNET, { ignoreRange: true });
    await unetArrived();
    hub.fault("text_encoder/model.onnx", { noEtag: true, cutAfter: 100, times: 1 });
    await openModel(hub.plain, options);
  });

  test("a cut with no etag and no SHA-256 to hold on to starts over", async () => {
    hub.fault(UNET, { noEtag: true, cutAfter: 100_000, times: 1 });
    await unetArrived(hub.plain);
    expect(hub.bodies(UNET).map((request) => request.headers.range)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test.each([500, 503, 429])("%i is tried again", async (status) => {
    hub.fault(UNET, { status, times: 2 });
    await unetArrived();
    expect(kinds("retry").length).toBe(2);
  });

  test("Retry-After is kept to, and given up when it is long", async () => {
    hub.fault(UNET, { status: 429, retryAfter: "1", times: 1 });
    const start = performance.now();
    await unetArrived();
    expect(performance.now() - start).toBeGreaterThan(990);
    hub.fault(UNET, { status: 429, retryAfter: "3600" });
    await expect(openModel(hub.plain, options)).rejects.toThrow(/429 and asks to wait 3600 s/);
  });

  test("that stalls is given up and resumed", async () => {
    hub.fault(UNET, { stallAfter: 100_000, times: 1 });
    const transport = { ...options.transport, stallMs: 1500 };
    options = { ...options, transport };
    await unetArrived();
    expect(kinds("retry")[0]).toMatchObject({
      message: expect.stringContaining("nothing for 1.5 s"),
    });
  });

  test("for good ends in download_failed that names the file", async () => {
    hub.fault(UNET, { status: 500 });
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(/Cannot download unet\/model\.onnx of hf:acme\/tiny@.*500/),
    });
  });
});

describe("wrong bytes", () => {
  test("are refused with both hashes, and none of them is kept", async () => {
    hub.fault(UNET, { wrongBytes: true });
    const expected = bytesHash(tinyFile(UNET));
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(
        new RegExp(`unet/model.onnx .*SHA-256 is .{64}, expected ${expected}`),
      ),
    });
    expect((await halves()).filter((path) => path.includes("unet"))).toEqual([]);
  });

  test("in the half of an earlier run cost one more fetch, not the model", async () => {
    hub.fault(UNET, { wrongBytes: true, cutAfter: 100_000, times: 1 });
    await unetArrived();
    expect(hub.bodies(UNET).map((request) => request.status)).toEqual([200, 206, 200]);
  });

  test("a kept part longer than the file is dropped", async () => {
    const folder = join(cacheFolder, "hf--acme--tiny--0123456789ab", "unet");
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(join(folder, "model.onnx.part"), new Uint8Array(400_000));
    await unetArrived();
  });

  test("a catalogue's SHA-256 overrides the server's", async () => {
    const entry = {
      id: "tiny",
      name: "Tiny",
      family: "sd1" as const,
      source: hub.plain,
      licence: "MIT",
      ran: false,
      description: "for tests",
      files: { [UNET]: { size: tinyFile(UNET).length, sha256: "0".repeat(64) } },
      defaults: { steps: 2, guidanceScale: 1, width: 64, height: 64 },
    };
    const catalogue = { models: [entry] };
    await expect(openModel("tiny", { ...options, catalogue })).rejects.toThrow(
      new RegExp(`unet/model.onnx.*expected ${"0".repeat(64)}`),
    );
  });
});

describe("a folder", () => {
  async function written(files = tinyFolder()): Promise<string> {
    const folder = join(cacheFolder, "folder");
    for (const [path, bytes] of files) {
      await Deno.mkdir(join(folder, path, ".."), { recursive: true });
      await Deno.writeFile(join(folder, path), bytes);
    }
    return folder;
  }

  test("is used as it is", async () => {
    const folder = await written();
    const files = await openModel(folder, options);
    expect(files.location).toBe(folder);
    expect(files.localPath?.(UNET)).toBe(join(folder, UNET));
    expect(await files.bytes(UNET, { start: 5, end: 9 })).toEqual(
      tinyFile(UNET).slice(5, 9),
    );
    expect(() => files.size("unet/other.json")).toThrow(/unet\/other.json.*missing/);
    await expect(files.text("../secret")).rejects.toMatchObject({ code: "model_invalid" });
    expect(hub.seen).toEqual([]);
  });

  test.each(["no-such-folder", "acme/tiny"])(
    "%s that is not there names the forms",
    async (given) => {
      await expect(openModel(given, options)).rejects.toMatchObject({
        code: "model_not_found",
        message: expect.stringMatching(/embedded, tau-tiny.*folder.*hf:owner\/name.*http/),
      });
    },
  );

  test.each(["unet/model.onnx", "tokenizer/merges.txt", "scheduler/scheduler_config.json"])(
    "without %s names it",
    async (path) => {
      const files = tinyFolder();
      files.delete(path);
      await expect(openModel(await written(files), options)).rejects.toMatchObject({
        code: "model_invalid",
        message: expect.stringContaining(path),
      });
    },
  );

  test("without model_index.json is recognised by its parts, here and on a server", async () => {
    const files = tinyFolder();
    files.delete("model_index.json");
    const [needed, fetched] = [neededFiles(), fetchedFiles()]
      .map((paths) => paths.filter((path) => path !== "model_index.json"));
    expect((await readLayout(await openModel(await written(files), options))).paths).toEqual(
      needed,
    );
    await using server = await HubServer.start(files);
    const from = { ...options, hubEndpoint: server.endpoint };
    expect((await openModel("hf:acme/tiny", from)).paths).toEqual(fetched);
    expect((await openModel(server.plain, from)).paths).toEqual(fetched);
  });

  test("without model_index.json and without a part names the part", async () => {
    const files = tinyFolder();
    files.delete("model_index.json");
    files.delete("vae_decoder/model.onnx");
    await expect(openModel(await written(files), options)).rejects.toMatchObject({
      code: "model_invalid",
      message: expect.stringContaining("vae_decoder/model.onnx"),
    });
    await expect(openModel(await temporaryFolder(), options)).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("neither a model_index.json nor a unet"),
    });
  });

  test("whose VAE keeps its config under vae has it among its files", async () => {
    const files = tinyFolder();
    files.delete("vae_decoder/config.json");
    files.set("vae/config.json", tinyFile("vae_decoder/config.json"));
    const { paths, networks } = await readLayout(await openModel(await written(files), options));
    expect(networks.vae_decoder).toMatchObject({ config: "vae/config.json" });
    expect(paths).toContain("vae/config.json");
    await using server = await HubServer.start(files);
    const hubFiles = await openModel("hf:acme/tiny", { ...options, hubEndpoint: server.endpoint });
    expect((await readLayout(hubFiles)).paths).toEqual(paths);
  });

  test("with a graph cut in half names it and its sizes", async () => {
    const files = tinyFolder();
    const whole = tinyFile(UNET);
    files.set(UNET, whole.slice(0, whole.length / 2));
    await expect(openModel(await written(files), options)).rejects.toMatchObject({
      code: "model_invalid",
      message: expect.stringMatching(/unet\/model\.onnx is not a whole ONNX file.*150\d\d\d bytes/),
    });
  });

  test("with external weights cut short names them", async () => {
    const files = tinyFolder();
    files.set(UNET, onnx({ location: "model.onnx_data", offset: 0, length: 4000 }));
    files.set("unet/model.onnx_data", noise(3999, 1));
    await expect(openModel(await written(files), options)).rejects.toThrow(
      /unet\/model\.onnx_data is cut short, it has 3999 bytes of at least 4000/,
    );
  });
});

test("the embedded model opens, whole, with no network and no cache", async () => {
  const files = await openModel("embedded", { ...options, verify: true });
  expect(files.name).toBe("tau-tiny");
  expect(files.has(UNET)).toBe(true);
  expect(hub.seen).toEqual([]);
});
