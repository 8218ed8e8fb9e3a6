import {
  type Alteration,
  alterWeights,
  CallCounter,
  type Cheat,
  type Checker,
  type ExaminedRun,
  examineRun,
  type Lab,
  type States,
} from "../../core/adversary/mod.ts";
import {
  decodeRequest,
  type GenerationRequest,
  planFor,
  type PlanRequest,
} from "../../core/request/mod.ts";
import type { Generation, ImageEngine } from "../../core/generation/mod.ts";
import type { RgbaImage } from "../../core/image/mod.ts";
import {
  type ModelFiles,
  readLayout,
  readOwnScheduler,
  type Tolerance,
} from "../../core/model/mod.ts";
import { type Plan, planFromConfig, schedulerConfigFromName } from "../../core/schedule/mod.ts";
import { type ComputeHost, openCompute } from "../compute/mod.ts";
import { type Hotkey, openHotkey } from "../../core/keys/mod.ts";

/** The images that every practice is tried on. */
export interface Sizing {
  /** Of each practice, at least. */
  readonly runs: number;
  /** Cheated steps of each practice to see, at least: those that cheat at few take more runs. */
  readonly samples: number;
  readonly steps: number;
  /** Pixels of width and height. */
  readonly size: number;
  /** A name, as in a request. */
  readonly scheduler: string;
  readonly guidanceScale: number;
}

/** Images of other seeds that a cheat may have kept: each serves several runs. */
const KEPT = 16;

export const PROMPTS = [
  "a golden tau symbol in a night sky with stars",
  "a red tau symbol on a white background",
  "a stone tau symbol in front of mountains",
  "a neon tau symbol on a dark wall",
];

/** Where cheats are tried: a host on which they work and are checked, and its models. */
export class LabBench implements AsyncDisposable {
  readonly #files: ModelFiles;
  readonly #host: ComputeHost;
  readonly #stack: AsyncDisposableStack;
  readonly #altered = new Map<Alteration, Promise<ImageEngine>>();
  readonly #kept = new Map<string, ReturnType<typeof generate>>();
  readonly #miner: Hotkey = openHotkey(undefined);

  private constructor(
    files: ModelFiles,
    host: ComputeHost,
    /** The model as the receipt names it. */
    readonly engine: ImageEngine,
    readonly tolerance: Tolerance,
    stack: AsyncDisposableStack,
  ) {
    this.#files = files;
    this.#host = host;
    this.#stack = stack;
  }

  static async open(files: ModelFiles, tolerance: Tolerance): Promise<LabBench> {
    await using stack = new AsyncDisposableStack();
    const host = stack.use(await openCompute("cpu"));
    const engine = stack.use(await host.open(files));
    return new LabBench(files, host, engine, tolerance, stack.move());
  }

  /** Tries one practice on one image, and checks all its steps. */
  async try(cheat: Cheat, sizing: Sizing, run: number): Promise<ExaminedRun> {
    const lab = await this.lab(sizing, run);
    const counter = new CallCounter();
    const made = await cheat.run({
      ...lab,
      engine: counter.counted(lab.engine),
      alteredEngine: async (alteration) => counter.counted(await lab.alteredEngine(alteration)),
    });
    const calls = counter.shareOf(lab.request);
    const seen = await examineRun(made, await this.#checker(lab));
    return { ...seen, calls, work: calls * (made.price ?? 1) };
  }

  /** An image that an honest miner made with another engine, checked here. */
  async check(maker: ImageEngine, sizing: Sizing, run: number): Promise<ExaminedRun> {
    const lab = await this.lab(sizing, run);
    const { states } = await generate(maker, lab.request);
    const made = { ...states, cheated: new Set<number>() };
    return { ...await examineRun(made, await this.#checker(lab)), calls: 1, work: 1 };
  }

  /** An honest image, for cheats that begin where it is made. */
  async image(sizing: Sizing): Promise<RgbaImage> {
    const { generation } = await this.#keptImage(sizing, 0);
    return generation.images[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** What a cheat has at one of its runs. */
  async lab(sizing: Sizing, run: number): Promise<Lab> {
    const config = await this.#schedulerConfig();
    const planOf = (request: PlanRequest) => planFor(config, request).plan;
    const request = requestOf(sizing, run);
    const { generation, states: cached } = await this.#keptImage(sizing, run % KEPT);
    return {
      request,
      plan: planOf(request),
      dims: generation.latentDims,
      engine: this.engine,
      cached,
      alteredEngine: (alteration) => this.#alteredEngine(alteration),
      planOf,
    };
  }

  #keptImage(sizing: Sizing, k: number): ReturnType<typeof generate> {
    const { steps, size, scheduler, guidanceScale } = sizing;
    const key = [steps, size, scheduler, guidanceScale, k].join();
    const known = this.#kept.get(key);
    if (known) return known;
    const request = requestOf(sizing, k);
    const making = generate(this.engine, { ...request, seed: request.seed + 1_000_000n });
    this.#kept.set(key, making);
    return making;
  }

  async #checker({ request, plan, dims }: Lab): Promise<Checker> {
    return {
      request,
      plan,
      olderPlan: await this.#olderPlan(request),
      dims,
      engine: this.engine,
      tolerance: this.tolerance,
      miner: this.#miner,
    };
  }

  async #schedulerConfig(): Promise<Readonly<Record<string, unknown>>> {
    return (await readOwnScheduler(this.#files)).config;
  }

  async #olderPlan({ scheduler, steps }: GenerationRequest): Promise<Plan> {
    const config = schedulerConfigFromName(String(scheduler), await this.#schedulerConfig());
    return planFromConfig({ ...(config as object), solver_order: 1 }, steps);
  }

  #alteredEngine(alteration: Alteration): Promise<ImageEngine> {
    const known = this.#altered.get(alteration);
    if (known) return known;
    const opening = this.#openAltered(alteration);
    this.#altered.set(alteration, opening);
    return opening;
  }

  async #openAltered(alteration: Alteration): Promise<ImageEngine> {
    const { denoiser } = await readLayout(this.#files);
    const files = await alterWeights(this.#files, denoiser, alteration);
    return this.#stack.use(await this.#host.open(files));
  }
}

function requestOf(sizing: Sizing, run: number): GenerationRequest {
  const { steps, size, scheduler, guidanceScale } = sizing;
  const defaults = { width: size, height: size, steps, guidanceScale, seed: BigInt(run) };
  return decodeRequest({ prompt: PROMPTS[run % PROMPTS.length], scheduler }, defaults);
}

async function generate(
  engine: ImageEngine,
  request: GenerationRequest,
): Promise<{ readonly generation: Generation; readonly states: States }> {
  const states = { x: [] as Uint16Array[], d: [] as Uint16Array[] };
  const generation = await engine.generate(request, {
    onLeaf: ({ kind, bits }) => {
      if (kind === "x" || kind === "d") states[kind].push(bits);
    },
  });
  return { generation, states };
}
