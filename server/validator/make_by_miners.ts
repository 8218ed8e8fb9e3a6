import type { Make } from "../gateway/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import type { Forwarder } from "./forwarder.ts";

/** Images of jobs come from miners. @param lineageOf what is not known of a parent, in sentences. */
export function makeBy(
  forwarder: Pick<Forwarder, "generate">,
  lineageOf: (request: GenerationRequest) => readonly string[],
): Make {
  return async (request, format, { signal, onStep, inputs, previews }) => {
    const { peer, answer, image, verdict, shown } = await forwarder.generate(request, format, {
      ...{ signal, onStep, inputs, previews },
    });
    const { id, receipt, token, witness } = answer;
    return {
      image,
      shown,
      record: {
        ...{ id, receipt, token, miner: peer, notices: lineageOf(request) },
        ...{ witness: witness ?? null, verdict: verdict ?? null },
      },
    };
  };
}
