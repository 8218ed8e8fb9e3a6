import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { scriptProcess } from "../../fixtures/cli.ts";
import { startNats } from "../../fixtures/nats_server.ts";
import { until } from "../../fixtures/processes.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const MAIN = new URL("../../fixtures/traced_main.ts", import.meta.url).pathname;

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** A collector on loopback, and the spans of ours that it got. */
function collector(): { readonly url: string; readonly spans: Span[] } {
  const spans: Span[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    const body = await request.json();
    for (const { scopeSpans } of body.resourceSpans ?? []) {
      for (const { scope, spans: some } of scopeSpans) {
        if (scope.name === "stepwise") spans.push(...some);
      }
    }
    return Response.json({});
  });
  onTestFinished(() => server.shutdown());
  return { url: `http://127.0.0.1:${server.addr.port}`, spans };
}

test("a request and its check are one trace, through NATS, down to the steps", async () => {
  const folder = await temporaryFolder();
  const nats = await startNats({ folder: join(folder, "nats") });
  onTestFinished(() => nats[Symbol.asyncDispose]());
  const { url, spans } = collector();
  const child = scriptProcess(MAIN, [nats.url, join(folder, "worker")], {
    env: {
      ...{ OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
      ...{ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: "100" },
    },
    ...{ stdout: "null", stderr: "inherit" },
  }).spawn();
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  const names = ["test", "request", "job", "queue", "conditioning", "step", "scoring"];
  await until(
    () => names.every((name) => spans.some((span) => span.name === name)),
    "all spans have arrived",
  );
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const parentOf = ({ parentSpanId }: Span) =>
    spans.find(({ spanId }) => spanId === parentSpanId)?.name;
  const parents = (name: string) =>
    spans.filter((span) => span.name === name).map((span) => parentOf(span));
  // The axon's, and below it the worker's.
  expect(parents("request").toSorted()).toEqual(["job", "test"]);
  expect(parents("job")).toEqual(["request"]);
  expect(parents("step")).toEqual(["request", "request", "request"]);
  expect([...parents("queue"), ...parents("conditioning")]).toEqual(["request", "request"]);
  expect(parents("scoring")).toEqual(["test"]);
});
