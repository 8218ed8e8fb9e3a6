import { MessageChannel } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import type { GraphFiles, ModelFiles } from "../../../core/model/mod.ts";
import type { Runtime } from "../../../core/inference/mod.ts";
import { listeningRuntime } from "../../../server/compute/listening_runtime.ts";

/** Its calls are over at once, and leave the event loop no turn. */
const busy = {
  open: () => Promise.resolve({ run: () => Promise.resolve({}), runInto: () => Promise.resolve() }),
} as unknown as Runtime;

test.each(["run", "runInto"] as const)(
  "what was sent is heard between calls of %s",
  async (how) => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    let heard = false;
    port2.on("message", () => heard = true);
    const session = await listeningRuntime(busy).open({} as ModelFiles, {} as GraphFiles);
    port1.postMessage("cancel");
    for (let call = 0; call < 1000 && !heard; call++) {
      await (how === "run" ? session.run({}, []) : session.runInto({}, {}));
    }
    expect(heard).toBe(true);
  },
);
