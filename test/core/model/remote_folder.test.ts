import { expect, test } from "vitest";
import { openHub } from "../../../core/model/remote_folder.ts";

const SOURCE = { kind: "hub", owner: "acme", name: "tiny", revision: "main" } as const;
const MEBIBYTE = 2 ** 20;

test("a hub whose listing has no end is given up", async () => {
  let taken = 0;
  const chunk = new Uint8Array(MEBIBYTE).fill(0x20);
  const fetch = () => {
    const pull = (controller: ReadableStreamDefaultController) => {
      taken++;
      controller.enqueue(chunk);
    };
    return Promise.resolve(new Response(new ReadableStream({ pull })));
  };
  await expect(openHub(SOURCE, { endpoint: "https://hub.example" }, { fetch })).rejects
    .toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(/more than \d+ bytes/),
    });
  expect(taken).toBeLessThan(70);
});
