import type { Make } from "../gateway/mod.ts";
import type { Forwarder } from "./forwarder.ts";

/** Images of jobs come from miners. */
export function makeBy(forwarder: Pick<Forwarder, "generate">): Make {
  return async (request, format, { signal, onStep, inputs, previews }) => {
    const { peer, answer, image, verdict, shown } = await forwarder.generate(request, format, {
      ...{ signal, onStep, inputs, previews },
    });
    const { id, receipt, token, witness } = answer;
    return {
      image,
      shown,
      record: {
        ...{ id, receipt, token, miner: peer, notices: [] },
        ...{ witness: witness ?? null, verdict: verdict ?? null },
      },
    };
  };
}
