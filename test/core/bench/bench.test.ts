import { expect, test } from "vitest";
import { compareReports, differentMachines } from "../../../core/bench/report/compare.ts";
import { figuresOf } from "../../../core/bench/report/figures.ts";
import { formatMs } from "../../../core/bench/report/format.ts";
import {
  type BenchReport,
  type BenchRow,
  decodeReport,
} from "../../../core/bench/report/report.ts";
import { reportHtml } from "../../../core/bench/report/report_html.ts";
import { pairedRatio, summarize } from "../../../core/bench/report/statistics.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const row = (facts: Partial<BenchRow>): BenchRow => ({
  case: "step",
  size: { side: 64, batch: 1 },
  elements: 256,
  contender: "step_f32 @64",
  kind: "kernel",
  chosen: true,
  bytes: 9216,
  wgsl: "aa",
  repeats: 4,
  wallMs: [4, 4, 4],
  gpuMs: [2, 2, 2],
  error: 0,
  agrees: true,
  ...facts,
});

const rival = (facts: Partial<BenchRow>) =>
  row({ chosen: false, wgsl: undefined, gpuMs: undefined, error: undefined, ...facts });

const report = (...rows: readonly BenchRow[]): BenchReport => ({
  format: "stepwise-bench-1",
  time: "2026-11-22T23:00:00.000Z",
  hosts: [{
    host: "native",
    adapter: "a <fast> one",
    adapterClass: "hardware",
    software: "Deno 2.9.6",
    runtime: "onnxruntime-web 1.30.0",
    fenceMs: 0.1,
    seconds: 3,
    rows: [...rows],
    problems: ["canny 64x64: it failed"],
    leftOut: ["step 64x64: step_f32 @256"],
  }],
  missing: ["Cannot start Chrome: none is there."],
});

test("summarize gives median, p10, p90 and the median deviation, whatever the order", () => {
  // 0..10: ranks are the numbers themselves; deviations from 5 are 0 1 1 2 2 3 3 4 4 5 5.
  const samples = [5, 9, 0, 3, 10, 1, 7, 2, 8, 4, 6];
  expect(summarize(samples)).toEqual({ median: 5, p10: 1, p90: 9, mad: 3 });
  expect(summarize([1, 2]).median).toBe(1.5);
});

test("pairedRatio compares round by round, so that a slow round moves it little", () => {
  expect(pairedRatio([10, 400, 12], [2, 100, 2])).toBe(5);
});

test("figuresOf compares a kernel with the copy of its bytes, the CPU and the graph", () => {
  const rows = [
    row({}),
    rival({ contender: "stepLatent", kind: "cpu", wallMs: [12, 12, 12] }),
    rival({ contender: "graph", kind: "onnx", wallMs: [40, 40, 40] }),
    rival({ contender: "copy", kind: "copy kernel", wallMs: [1, 1, 1], gpuMs: [1, 1, 1] }),
    rival({ contender: "copy", kind: "copy kernel", size: { side: 128, batch: 1 } }),
  ];
  const [ours, cpu] = figuresOf(rows);
  expect(ours).toMatchObject({
    clock: "gpu",
    median: 2,
    shareOfCopy: 0.5,
    timesCpu: 3,
    timesOnnx: 10,
  });
  // 9216 bytes in 2 ms.
  expect(ours.gigabytesPerSecond).toBeCloseTo(4.608e-3);
  expect(cpu).toMatchObject({ clock: "wall", shareOfCopy: undefined, timesOnnx: undefined });
});

test("figuresOf compares a loop with its network calls, and knows no bytes of either", () => {
  const loop = { case: "loop", bytes: undefined, gpuMs: undefined } as const;
  const [calls, resident] = figuresOf([
    row({ ...loop, contender: "bare calls", kind: "network", wallMs: [100, 200, 100] }),
    row({ ...loop, contender: "resident", kind: "loop", wallMs: [103, 202, 102] }),
  ]);
  expect(resident.overNetwork).toBeCloseTo(0.02);
  expect(calls.overNetwork).toBeUndefined();
  expect(resident).toMatchObject({
    ...{ gigabytesPerSecond: NaN, shareOfCopy: undefined, timesCpu: undefined },
  });
});

test.each<[string, number[], number[], string]>([
  ["a fifth less without spread", [10, 10, 10], [8, 8, 8], "faster"],
  ["a fifth more without spread", [10, 10, 10], [12, 12, 12], "slower"],
  ["four percent", [10, 10, 10], [10.4, 10.4, 10.4], "same"],
  ["a fifth, within three deviations of the older", [9, 10, 11], [8, 8, 8], "same"],
  ["a fifth, within three deviations of the newer", [10, 10, 10], [11, 12, 13], "same"],
])("compareReports on %s", (_, before, after, verdict) => {
  const [change] = compareReports(report(row({ gpuMs: before })), report(row({ gpuMs: after })));
  expect(change.verdict).toBe(verdict);
});

test("compareReports reports new rows, rewritten kernels and other machines", () => {
  const other = row({ contender: "step_f32 @128", wgsl: "bb" });
  const [first, second] = compareReports(report(row({})), report(row({ wgsl: "bb" }), other));
  expect(first).toMatchObject({ verdict: "same", ratio: 1, rewritten: true });
  expect(second.verdict).toBe("new");
  const older = report(row({}));
  older.hosts[0].adapter = "a slow one";
  expect(differentMachines(older, report(row({})))).toEqual([
    "native: then a slow one, Deno 2.9.6, now a <fast> one, Deno 2.9.6",
  ]);
  expect(differentMachines(older, older)).toEqual([]);
});

test("compareReports uses the wall clock where one side has no timestamps", () => {
  const [change] = compareReports(report(row({ gpuMs: undefined })), report(row({})));
  expect(change).toMatchObject({ verdict: "same", ratio: 1 });
});

test("a report survives JSON, and a damaged one is refused by its field", () => {
  const whole = report(row({}), rival({ contender: "graph", kind: "onnx" }));
  expect(decodeReport(JSON.parse(JSON.stringify(whole)))).toEqual(whole);
  const damaged = report(row({ wallMs: [] }));
  expect(thrownBy(() => decodeReport(damaged))).toMatchObject({
    code: "invalid_request",
    message: expect.stringMatching(/hosts\.0\.rows\.0\.wallMs/),
  });
});

test("reportHtml has every row, problem and missing host, and escapes what hosts say", () => {
  const rows = [
    row({}),
    rival({ contender: "graph", kind: "onnx" }),
    row({
      contender: "step_f32 @128",
      chosen: false,
      agrees: false,
    }),
  ];
  const html = reportHtml(report(...rows));
  for (const { contender } of rows) expect(html).toContain(`</b>${contender}`);
  expect(html.match(/<tr/g)).toHaveLength(1 + rows.length);
  expect(html).toContain("canny 64x64: it failed");
  expect(html).toContain("none is there");
  expect(html).toContain("a &lt;fast&gt; one");
  expect(html.match(/wrong result/g)).toHaveLength(1);
});

test("formatMs keeps three digits at every scale", () => {
  expect([0.0123, 0.5, 1.234, 56.78, 999.4, 1234].map(formatMs)).toEqual(
    ["12.3 us", "500 us", "1.23 ms", "56.8 ms", "999 ms", "1.23 s"],
  );
});
