import { expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { Metrics } from "../../../server/neuron/metrics.ts";
import { neuronRoutes } from "../../../server/neuron/mod.ts";
import { ErrorLog } from "../../../server/neuron/error_log.ts";
import { route } from "../../../server/http/mod.ts";
import type { Log } from "../../../server/telemetry/mod.ts";

function neuron(problems: readonly string[], log: Log = () => {}) {
  const fail = route({
    ...{ method: "get", path: "/v1/fail", auth: "open", answer: "Health", errors: [] },
    summary: "",
    handle: (context) => {
      const code = context.req.query("code");
      if (code === "not_allowed") throw new AppError(code, "Cannot take the request: no");
      throw new Error("a mistake of ours");
    },
  });
  return neuronRoutes({
    server: { kind: "miner", jobs: false },
    ...{ site: "/nowhere", receipts: { summary: "", list: () => [] }, metrics: new Metrics() },
    api: { title: "", version: "", description: "", routes: [fail], schemas: {} },
    ...{ log, problems: () => problems },
  });
}

test("/healthz answers as long as the process is alive, ready or not", async () => {
  const answer = await neuron(["The chain is out of reach."]).request("/healthz");
  expect([answer.status, await answer.json()]).toEqual([200, { alive: true }]);
});

test.each([
  [[], 200],
  [["The chain is out of reach: no block came for 61 s."], 503],
])("/readyz with the problems %j answers %i", async (problems, status) => {
  const answer = await neuron(problems).request("/readyz");
  expect(answer.status).toBe(status);
  expect(await answer.json()).toEqual({ ready: status === 200, problems });
});

test("a refusal is logged with its code and caller, and a mistake of ours as an error", async () => {
  const events: unknown[] = [];
  const app = neuron([], (event, facts, level) => void events.push({ event, level, ...facts }));
  const headers = { "epistula-signed-by": "5Bob" };
  await app.request("/v1/fail?code=not_allowed&token=t", { headers });
  await app.request("/v1/fail");
  expect(events).toEqual([
    {
      ...{ event: "refused", level: "info", code: "not_allowed", caller: "5Bob", method: "GET" },
      ...{ path: "/v1/fail", why: "Cannot take the request: no" },
    },
    {
      ...{ event: "failed", level: "error", code: "internal", method: "GET", path: "/v1/fail" },
      why: "Error: a mistake of ours",
    },
  ]);
});

test("the same refusal of the same caller is logged once a minute, others at once", () => {
  let now = 0;
  const levels: (string | undefined)[] = [];
  const log = new ErrorLog((_event, _facts, level) => void levels.push(level), () => now);
  const refuse = (caller: string) =>
    log.note(new AppError("not_allowed", "Cannot"), {
      ...{ method: "GET", path: "/", header: () => caller },
    });
  refuse("5Bob");
  refuse("5Bob");
  refuse("5Eve");
  now = 60_000;
  refuse("5Bob");
  expect(levels).toEqual(["info", "debug", "info", "info"]);
});
