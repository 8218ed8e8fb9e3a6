import type { GenerationRequest } from "../../core/request/mod.ts";
import type { Gateway, Make } from "../gateway/mod.ts";
import type { Forwarded, Forwarder } from "./forwarder.ts";
import { evidenceOf, type Refined, refined } from "./refined.ts";

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
    const made: Forwarded & Partial<Pick<Refined, "parent">> = refinement
      ? await refined(
        { request, format, inputs, refinement },
        { forwarder, pictures, owner },
        waiting,
      )
      : await forwarder.generate(request, format, { ...waiting, inputs });
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
