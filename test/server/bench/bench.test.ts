import { join } from "node:path";
import { expect, test } from "vitest";
import { type BenchRow, decodeReport, figuresOf } from "../../../core/bench/mod.ts";
import { loopTable } from "../../../server/bench/end_to_end.ts";
import { runCli, runProcess, spawnCli } from "../../fixtures/cli.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const ONE = ["bench", "--quick", "--seconds", "2", "--filter", "residual 64x64"];

test("bench measures natively where Chrome is missing, and says so, in every form", async () => {
  const folder = await temporaryFolder();
  const [json, html] = ["report.json", "report.html"].map((name) => join(folder, name));
  const run = await runProcess([
    ...ONE,
    "--all",
    "--chrome-path",
    "/none",
    "--json",
    json,
    "--html",
    html,
  ]);
  expect(run).toMatchObject({ code: 0 });
  expect(run.stdout).toContain("Cannot start Chrome: --chrome-path is /none, no file.");
  const report = decodeReport(JSON.parse(await Deno.readTextFile(json)));
  const [{ host, adapter, rows, problems }] = report.hosts;
  expect([host, problems]).toEqual(["native", []]);
  expect(new Set(rows.map(({ kind }) => kind))).toEqual(
    new Set(["kernel", "cpu", "onnx", "copy kernel", "buffer copy"]),
  );
  const page = await Deno.readTextFile(html);
  for (const { contender, kind, agrees, wgsl } of rows) {
    expect(run.stdout).toContain(` ${contender} `);
    expect(page).toContain(`</b>${contender}`);
    if (kind === "kernel" || kind === "onnx") expect(agrees, contender).toBe(true);
    if (kind === "kernel") expect(wgsl).toMatch(/^[0-9a-f]{64}$/);
  }
  for (const line of run.stdout.split("\n")) {
    // A machine may name its adapter as it likes.
    expect(line.replace(adapter, "").length, line).toBeLessThanOrEqual(100);
  }
  // The legend covers only what was measured.
  expect(page).toContain("onnxruntime graph");
  expect(page).not.toContain("its network calls alone");
  // Self-contained: nothing that a browser would fetch or run.
  expect(page).not.toMatch(/https?:|<script|<link|<img|url\(|@import/);

  const again = await runCli([...ONE, "--host", "native", "--compare", json]);
  expect(again.stdout).toMatch(/Against .*report\.json: \d+ faster, \d+ slower, \d+ same, \d+ new/);
});

test.each([
  [["--filter", "nothing"], /--filter is nothing, which none of these has/],
  [["--seconds", "0"], /--seconds is 0, no time above zero/],
  [["--host", "chrome", "--chrome-path", "/none"], /--chrome-path is \/none, no file/],
  [["--compare", "/none.json"], /Cannot compare with \/none\.json/],
  [["--json", "README.md"], /Cannot write README\.md: it is there already; --force replaces it/],
  [["--html", "README.md"], /Cannot write README\.md: it is there already; --force replaces it/],
  [["loop", "--steps", "0"], /--steps is 0, not a whole number from 1 to 1000/],
  [["loop", "--size", "65"], /--size is 65, not a multiple of 8/],
  [["proof", "--size", "65"], /--size is 65, not a multiple of 8/],
  [["front", "--requests", "0"], /--requests is 0, not a whole number from 1/],
  [["pipeline", "--runs", "0"], /--runs is 0, not a whole number from 1/],
  [["round", "--miners", "8", "--dead", "8"], /--dead is 8, not a whole number from 1 to 7/],
])("bench %j is refused in words", async (flags, words) => {
  const { code, stdout, stderr } = await runCli(["bench", ...flags]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(words);
});

test("loopTable compares every loop with the bare calls, round by round", () => {
  const samples = {
    "bare calls": [500, 5000, 500],
    resident: [505, 5050, 505],
    recorded: [500, 5250, 550],
    "read back": [750, 7500, 750],
  };
  const rows = Object.entries(samples).map(([contender, wallMs]): BenchRow => ({
    ...{ case: "loop of x", size: { side: 64, batch: 1 }, elements: 256, contender, wallMs },
    ...{ kind: contender === "bare calls" ? "network" : "loop", chosen: false, repeats: 4 },
  }));
  const table = loopTable("loop of x", [{ host: "native", figures: figuresOf(rows) }]).join("\n");
  expect(table).toMatch(/bare calls +2\.00 +500 ms .*\+0\.0%/);
  expect(table).toMatch(/resident +1\.98 +505 ms .*\+1\.0%/);
  expect(table).toMatch(/recorded .*\+5\.0%/);
  expect(table).toMatch(/read back .*\+50\.0%/);
});

test("bench page serves the page until it is interrupted", async () => {
  const command = spawnCli(["bench", "page"]);
  const lines = command.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const url = /http:\S+/.exec((await lines.read()).value ?? "")?.[0] ?? "";
  const page = await fetch(url);
  expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  const html = await page.text();
  expect(html).toContain('<script type="module"');
  const [, style] = /<link rel="stylesheet"[^>]* href="([^"]+)"/.exec(html) ?? [];
  const { headers, body } = await fetch(new URL(style, url));
  expect(headers.get("content-type")).toBe("text/css");
  await body?.cancel();
  command.kill("SIGINT");
  expect((await command.status).code).toBe(0);
  await Promise.all([lines.cancel(), command.stderr.cancel()]);
});
