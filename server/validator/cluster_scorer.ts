import { AppError } from "../../core/error.ts";
import { NO_INPUTS } from "../../core/protocol/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import { putInputs } from "../miner/mod.ts";
import {
  CHECK_SECONDS,
  decodeOutcome,
  encodeCheck,
  FILES,
  type Outcome,
  SCORES,
  scoreSubject,
} from "./check_messages.ts";
import type { AnswerToScore, Scorer } from "./scorer.ts";

/**
 * Milliseconds for a check: many may wait, and a void test is no small thing. A user may wait for it too,
 * and who stops.
 */
const WAIT_MS = 90_000;
/** Milliseconds from one look for an outcome, of which no word came, to the next. */
const LOOK_MS = 5000;

/**
 * Has checks made by whichever scorers have joined the cluster.
 * @param kind as `checksOf`.
 */
export async function clusterScorer(
  cluster: Cluster,
  kind: string,
  waitMs = WAIT_MS,
): Promise<Scorer> {
  const scores = await cluster.once(SCORES, CHECK_SECONDS);
  const files = await cluster.blobs(FILES, CHECK_SECONDS);
  return async (answer) => {
    await using stack = new AsyncDisposableStack();
    const id = idOf(answer);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const hear = (bytes: Uint8Array) => resolve(decodeOutcome(new TextDecoder().decode(bytes)));
    stack.use(await cluster.bus.listen(scoreSubject(id), hear));
    const known = async () => {
      const text = await scores.get(id);
      if (text !== undefined) resolve(decodeOutcome(text));
      return text !== undefined;
    };
    if (!await known()) {
      await putInputs(files, id, answer.inputs ?? NO_INPUTS);
      await cluster.work.add(kind, id, encodeCheck(answer));
    }
    // Its word may be lost, not the outcome.
    const looking = setInterval(() => void known().catch(() => {}), LOOK_MS);
    const late = setTimeout(() => resolve({ failed: "no scorer has made it in time" }), waitMs);
    stack.defer(() => (clearInterval(looking), clearTimeout(late)));
    const outcome = await promise;
    if ("score" in outcome) return outcome.score;
    throw new AppError("host_unavailable", `Cannot check: ${outcome.failed}`);
  };
}

/** The same when it is asked for again: an outcome that was not heard is still there. */
function idOf({ answered }: AnswerToScore): string {
  return answered ? `${answered.id}_${answered.hotkey}` : crypto.randomUUID();
}
