import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { scriptProcess } from "../../fixtures/cli.ts";
import { HubServer } from "../../fixtures/hub_server.ts";
import { fetchedFiles, tinyFolder } from "../../fixtures/tiny_folder.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";

const MAIN = new URL("../../fixtures/open_model_main.ts", import.meta.url).pathname;
const WAIT = { timeout: PATIENCE_MS, interval: 10 };
const UNET = "unet/model.onnx";

interface Event {
  readonly kind: string;
  readonly message?: string;
  readonly paths?: readonly string[];
}

class Opening {
  readonly events: Event[] = [];
  readonly process: Deno.ChildProcess;
  readonly ended: Promise<Deno.CommandStatus>;

  constructor(hub: HubServer, cache: string) {
    this.process = scriptProcess(MAIN, ["hf:acme/tiny", cache, hub.endpoint], { stdout: "piped" })
      .spawn();
    this.ended = this.#read();
  }

  async until(kind: string): Promise<Event> {
    return await vi.waitUntil(() => this.events.find((event) => event.kind === kind), WAIT);
  }

  async #read(): Promise<Deno.CommandStatus> {
    let text = "";
    for await (const chunk of this.process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (text + chunk).split("\n");
      text = lines.pop() ?? "";
      this.events.push(...lines.map((line) => JSON.parse(line)));
    }
    return await this.process.status;
  }
}

test("one process downloads, the other waits, says so and fetches nothing", async () => {
  await using hub = await HubServer.start(tinyFolder());
  const cache = await Deno.makeTempDir();
  // The first holds the lock until its stalled request is cut by us.
  hub.fault(UNET, { stallAfter: 1000, times: 1 });
  const first = new Opening(hub, cache);
  await vi.waitUntil(() => hub.stalled > 0, WAIT);
  const second = new Opening(hub, cache);
  const wait = await second.until("wait");
  expect(wait.message).toContain(`process ${first.process.pid} is downloading hf:acme/tiny`);
  hub.cutAll();
  expect((await first.ended).success).toBe(true);
  expect((await second.ended).success).toBe(true);
  expect((await second.until("opened")).paths).toEqual(fetchedFiles());
  expect(second.events.filter((event) => event.kind === "download")).toEqual([]);
  await Deno.remove(cache, { recursive: true });
});

test("a killed process leaves no lock and no half file: the next takes over and resumes", async () => {
  await using hub = await HubServer.start(tinyFolder());
  const cache = await Deno.makeTempDir();
  hub.fault(UNET, { stallAfter: 200_000, times: 1 });
  const first = new Opening(hub, cache);
  const part = join(cache, "hf--acme--tiny--0123456789ab", `${UNET}.part`);
  await vi.waitUntil(async () => {
    const stat = await Deno.stat(part).catch(() => undefined);
    return stat?.size === 200_000;
  }, WAIT);
  first.process.kill("SIGKILL");
  await first.ended;
  const second = new Opening(hub, cache);
  expect((await second.ended).success).toBe(true);
  expect(second.events.filter((event) => event.kind === "wait")).toEqual([]);
  expect(hub.bodies(UNET).at(-1)).toMatchObject({
    status: 206,
    headers: { range: "bytes=200000-" },
  });
  await Deno.remove(cache, { recursive: true });
});
