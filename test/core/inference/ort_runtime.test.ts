import { expect, test } from "vitest";
import { type Ort, ortRuntime } from "../../../core/inference/ort_runtime.ts";
import { memoryFiles } from "../../fixtures/memory_files.ts";

/** An onnxruntime whose sessions log what is done with them; the runs named by number fail. */
function fakeOrt(...failing: readonly number[]) {
  const log: string[] = [];
  let [sessions, runs] = [0, 0];
  const session = (id: number) => {
    let released = false;
    return {
      inputMetadata: [],
      outputMetadata: [],
      run: async () => {
        const run = ++runs;
        log.push(`run ${run} in ${released ? "released " : ""}${id}`);
        await Promise.resolve();
        if (failing.includes(run)) throw new Error("out of memory");
        return {};
      },
      release: () => {
        released = true;
        log.push(`release ${id}`);
        return Promise.resolve();
      },
    };
  };
  const create = async () => {
    const id = ++sessions;
    log.push(`load ${id}`);
    await Promise.resolve();
    return session(id);
  };
  const ort = { env: { versions: {} }, InferenceSession: { create } } as unknown as Ort;
  return { ort, log };
}

async function openSession(...failing: readonly number[]) {
  const { ort, log } = fakeOrt(...failing);
  const runtime = ortRuntime(ort, {
    ...{ name: "", backend: { host: "cpu", adapter: "cpu" } },
    ...{ imagesPerCall: 1, session: {}, byPath: false },
  });
  const graph = { graph: "unet/model.onnx", external: [], largestTensor: 0 };
  return { log, session: await runtime.open(memoryFiles({ "unet/model.onnx": "" }), graph) };
}

test("runs behind a failed one share one fresh session, and the failed one is released", async () => {
  const { session, log } = await openSession(1);
  const runs = await Promise.allSettled([1, 2, 3].map(() => session.run({}, [])));
  expect(runs.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(log).toEqual(["load 1", "run 1 in 1", "release 1", "load 2", "run 2 in 2", "run 3 in 2"]);
});

test("a failed run names the graph and keeps onnxruntime's words", async () => {
  const { session } = await openSession(1);
  await expect(session.run({}, [])).rejects.toMatchObject({
    code: "inference_failed",
    message: expect.stringMatching(/^Cannot run unet\/model\.onnx on .*: out of memory$/),
  });
});

test("release waits for the run under way, and nothing loads the session again", async () => {
  const { session, log } = await openSession();
  const [first, , late] = await Promise.allSettled([
    session.run({}, []),
    session.release(),
    session.run({}, []),
  ]);
  expect(first.status).toBe("fulfilled");
  expect(late).toMatchObject({
    reason: { code: "inference_failed", message: expect.stringMatching(/session was released$/) },
  });
  expect(log).toEqual(["load 1", "run 1 in 1", "release 1"]);
});
