import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const MAIN = new URL("../../fixtures/gateway_main.ts", import.meta.url).pathname;

/** Hears of ended jobs. */
async function receiver() {
  const events = new Map<string, string[]>();
  let wake = () => {};
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk).on("end", () => {
      const { id, job, type } = JSON.parse(body);
      events.set(job.id, [...events.get(job.id) ?? [], `${id} ${type}`]);
      response.end();
      wake();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const heard = async (enough: () => boolean) => {
    while (!enough()) await new Promise<void>((resolve) => wake = resolve);
  };
  return { events, heard, url: `http://127.0.0.1:${port}/` };
}

test("200 jobs of 5 keys outlive kill -9: none is lost, each ends once and is reported", async () => {
  const folder = await temporaryFolder();
  const { events, heard, url } = await receiver();
  const start = (count: number) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, folder, url, String(count)],
      ...{ stdout: "piped", stderr: "inherit" },
    }).spawn();
  const first = start(40);
  const accepted = new Set<string>();
  const lines = first.stdout.pipeThrough(new TextDecoderStream());
  let text = "";
  for await (const chunk of lines) {
    text += chunk;
    for (const id of text.split("\n").slice(0, -1)) accepted.add(id);
    if (accepted.size >= 200) break;
  }
  await heard(() => events.size >= 20);
  first.kill("SIGKILL");
  await first.status;
  const before = events.size;
  expect(before).toBeLessThan(200);
  const second = start(0);
  try {
    await heard(() => events.size >= 200);
  } finally {
    second.kill("SIGKILL");
    await second.status;
    await second.stdout.cancel();
  }
  expect([...events.keys()].toSorted()).toEqual([...accepted].toSorted());
  for (const [id, told] of events) expect(new Set(told)).toEqual(new Set([`evt_${id} job.done`]));
});
