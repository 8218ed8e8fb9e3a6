import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { promptIndex } from "../../../core/content/mod.ts";
import { openPrompts } from "../../../server/validator/prompts.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const LINES = Array.from({ length: 20_000 }, (_, k) => `prompt number ${k} of the bank`);

async function bank(text: string): Promise<string> {
  const path = join(await temporaryFolder(), "bank.txt");
  await Deno.writeTextFile(path, text);
  return path;
}

test("without a bank of its own: of the core's, and hardly ever the same", async () => {
  const next = await openPrompts(undefined, Math.random);
  const prompts = await Promise.all(Array.from({ length: 100 }, () => next(7)));
  expect(new Set(prompts).size).toBeGreaterThan(80);
});

describe("a file", () => {
  test("whole lines, from everywhere in it", async () => {
    const next = await openPrompts(await bank(LINES.join("\n")), Math.random);
    const seen = await Promise.all(Array.from({ length: 300 }, () => next(5)));
    const numbers = seen.map((line) => LINES.indexOf(line));
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...numbers)).toBeLessThan(2000);
    expect(Math.max(...numbers)).toBeGreaterThan(18_000);
  });

  test("of four gigabytes is not read whole", async () => {
    const path = join(await temporaryFolder(), "huge.txt");
    using file = await Deno.open(path, { write: true, create: true });
    // A sparse file: zeros, but for a line near its end.
    await file.seek(4 * 2 ** 30, Deno.SeekMode.Start);
    await file.write(new TextEncoder().encode("\nfar away\nend\n"));
    const next = await openPrompts(path, () => 1 - 1e-8);
    expect(await next(5)).toBe("far away");
  });

  test("at its start the first line counts, and empty lines never do", async () => {
    const next = await openPrompts(await bank("first\n\n\nlast\n"), () => 0);
    expect(await next(5)).toBe("first");
  });

  test("from within the last line it goes on with the first", async () => {
    const next = await openPrompts(await bank("first\nlast, and not ended"), () => 0.9);
    expect(await next(1)).toBe("first");
  });

  test("that is not there, or empty", async () => {
    expect(await rejection(openPrompts("/no/such/bank", Math.random))).toMatchObject({
      code: "storage_failed",
    });
    const empty = await bank("");
    expect((await rejection(openPrompts(empty, Math.random))).message).toMatch(/it is empty/);
  });
});

describe("an address", () => {
  function serve(answer: (request: Request) => Response): string {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
    onTestFinished(() => server.shutdown());
    return `http://127.0.0.1:${server.addr.port}/bank.txt`;
  }

  function ranges(bytes: Uint8Array<ArrayBuffer>, asked: string[]) {
    return (request: Request) => {
      const range = request.headers.get("range") ?? "";
      asked.push(range);
      const [first, last] = /(\d+)-(\d+)/.exec(range)?.slice(1).map(Number) ?? [0, 0];
      const part = bytes.slice(first, last + 1);
      const headers = {
        "content-range": `bytes ${first}-${first + part.length - 1}/${bytes.length}`,
      };
      return new Response(part, { status: 206, headers });
    };
  }

  test("is asked for ranges alone", async () => {
    const asked: string[] = [];
    const url = serve(ranges(new TextEncoder().encode(LINES.join("\n")), asked));
    const next = await openPrompts(url, () => 0.5);
    expect(LINES).toContain(await next(5));
    expect(asked.every((range) => /^bytes=\d+-\d+$/.test(range))).toBe(true);
  });

  test("that sends everything is refused", async () => {
    const url = serve(() => new Response("all of it"));
    expect(await rejection(openPrompts(url, Math.random))).toMatchObject({
      code: "download_failed",
    });
  });

  test("that fails later: the core's bank stands in, and it is logged", async () => {
    let lost = false;
    const good = ranges(new TextEncoder().encode("one\ntwo\nthree\n"), []);
    const url = serve((request) => lost ? new Response("", { status: 500 }) : good(request));
    const troubles: unknown[] = [];
    const next = await openPrompts(url, () => 0, (error) => troubles.push(error));
    lost = true;
    expect(promptIndex(await next(5))).toBeDefined();
    expect(troubles).toHaveLength(1);
  });
});
