import type { GenerationRequest } from "../../core/request/mod.ts";
import type { Gateway, Make } from "../gateway/mod.ts";
import type { Forwarder } from "./forwarder.ts";
import { drawn, evidenceOf } from "./refined.ts";

/** What images of jobs are made with. */
export interface MakingParts {
  readonly forwarder: Pick<Forwarder, "generate">;
  /** Enlarges what is refined. */
  readonly pictures: Gateway["parts"]["pictures"];
  /** What is not known of a parent, in sentences. */
  readonly lineageOf: (request: GenerationRequest) => readonly string[];
}

/** Images of jobs come from miners. */
export function makeBy({ forwarder, pictures, lineageOf }: MakingParts): Make {
  return async (request, format, { owner, refinement, inputs, ...waiting }) => {
    const asked = { request, format, inputs, refinement };
    const made = await drawn(asked, { forwarder, pictures, owner }, waiting);
    const { image, shown, parent } = made;
    return {
      ...{ image, shown },
      record: {
        ...{ ...evidenceOf(made), notices: lineageOf(request) },
        ...(parent && { parent: evidenceOf(parent) }),
      },
    };
  };
}
