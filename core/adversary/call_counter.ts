import type { GenerationRequest } from "../request/mod.ts";
import type { ImageEngine } from "../generation/mod.ts";

type Network = Pick<ImageEngine, "predict">;

/** Counts what goes through a network: guidance takes each state through it twice. */
export class CallCounter {
  #calls = 0;

  /** The same network, counted. */
  counted(network: Network): Network {
    return {
      predict: (request, states, given) => {
        this.#calls += states.length * sidesOf(request);
        return network.predict(request, states, given);
      },
    };
  }

  /** Of the calls that an honest run of this request makes. */
  shareOf(request: GenerationRequest): number {
    return this.#calls / (request.steps * sidesOf(request));
  }
}

function sidesOf({ guidanceScale }: Pick<GenerationRequest, "guidanceScale">): number {
  return guidanceScale > 1 ? 2 : 1;
}
