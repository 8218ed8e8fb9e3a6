import { AppError } from "../error.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { schedulerNames } from "../schedule/mod.ts";

/** A solver as AUTOMATIC1111 names it. */
export interface Sampler {
  readonly name: string;
  /** As its API also takes it. */
  readonly aliases: readonly string[];
  /** What a request calls it, and the same as a config. */
  readonly preset: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Which spacing of noise levels `Automatic` stands for. */
  readonly usual: string;
  /** Whether it takes other spacings. */
  readonly spaced: boolean;
}

/** A spacing of noise levels as AUTOMATIC1111 names it. */
export interface Schedule {
  readonly name: string;
  readonly label: string;
  readonly aliases: readonly string[];
  /** Settings of diffusers that have the same effect. */
  readonly config: Readonly<Record<string, unknown>>;
}

type SamplerRow = readonly [
  name: string,
  alias: string,
  preset: string,
  config: Sampler["config"],
  usual: string,
];

const dpm = (algorithm: string, order: number, more: object = {}): Sampler["config"] => ({
  _class_name: "DPMSolverMultistepScheduler",
  ...{ algorithm_type: algorithm, solver_order: order, solver_type: "midpoint", ...more },
});

/** `fixed` takes its own spacing alone. */
const FIXED = "fixed";
const of = (name: string, more: object = {}) => ({ _class_name: `${name}Scheduler`, ...more });

/** In the order of its list; what has no plan here is not among them. */
const ROWS: readonly SamplerRow[] = [
  ["DPM++ 2M", "k_dpmpp_2m", "dpmpp_2m", dpm("dpmsolver++", 2), "Karras"],
  ["DPM++ 2M SDE", "k_dpmpp_2m_sde", "dpmpp_2m_sde", dpm("sde-dpmsolver++", 2), "Exponential"],
  [
    ...["DPM++ 2M SDE Heun", "k_dpmpp_2m_sde_heun", ""] as const,
    ...[dpm("sde-dpmsolver++", 2, { solver_type: "heun" }), "Exponential"] as const,
  ],
  ["DPM++ 3M", "k_dpmpp_3m", "dpmpp_3m", dpm("dpmsolver++", 3), "Karras"],
  ["Euler a", "k_euler_a", "euler_a", of("EulerAncestralDiscrete"), FIXED],
  ["Euler", "k_euler", "euler", of("EulerDiscrete"), "Uniform"],
  ["LMS", "k_lms", "lms", of("LMSDiscrete"), "Uniform"],
  ["Heun", "k_heun", "heun", of("HeunDiscrete"), "Uniform"],
  ["DPM2", "k_dpm_2", "dpm2", of("KDPM2Discrete"), "Karras"],
  ["DPM2 a", "k_dpm_2_a", "dpm2_a", of("KDPM2AncestralDiscrete"), "Karras"],
  ["DEIS", "deis", "deis", of("DEISMultistep", { algorithm_type: "deis" }), "Uniform"],
  ["DDIM", "ddim", "ddim", of("DDIM", { clip_sample: false }), FIXED],
  ["PLMS", "plms", "pndm", of("PNDM", { skip_prk_steps: true }), FIXED],
  ["UniPC", "unipc", "unipc", of("UniPCMultistep"), "Uniform"],
  ["LCM", "k_lcm", "lcm", of("LCM"), FIXED],
  ["DDPM", "ddpm", "ddpm", of("DDPM", { clip_sample: false }), FIXED],
  ["TCD", "tcd", "tcd", of("TCD"), FIXED],
];

export const SAMPLERS: readonly Sampler[] = ROWS.map(([name, alias, preset, config, usual]) => ({
  ...{ name, aliases: [alias], preset, config },
  ...{ usual: usual === FIXED ? "Uniform" : usual, spaced: usual !== FIXED },
}));

/** No spacing but the solver's own. */
const PLAIN = { use_karras_sigmas: false, use_exponential_sigmas: false, use_beta_sigmas: false };
const TRAILING = { ...PLAIN, timestep_spacing: "trailing" };

/** The first is whichever the sampler has. */
export const SCHEDULES: readonly Schedule[] = [
  { name: "automatic", label: "Automatic", aliases: [], config: {} },
  { name: "uniform", label: "Uniform", aliases: ["normal"], config: PLAIN },
  {
    ...{ name: "karras", label: "Karras", aliases: [] },
    config: { ...PLAIN, use_karras_sigmas: true },
  },
  {
    ...{ name: "exponential", label: "Exponential", aliases: [] },
    config: { ...PLAIN, use_exponential_sigmas: true },
  },
  { name: "sgm_uniform", label: "SGM Uniform", aliases: ["SGMUniform"], config: TRAILING },
  { name: "simple", label: "Simple", aliases: [], config: TRAILING },
  { name: "beta", label: "Beta", aliases: [], config: { ...PLAIN, use_beta_sigmas: true } },
];

/** What a request asks for, in AUTOMATIC1111's names. */
export interface SamplerChoice {
  readonly sampler: string;
  /** Undefined where the sampler has its own alone. */
  readonly schedule: string | undefined;
}

/**
 * A sampler's name, which may end in a schedule's as before there were two fields: `DPM++ 2M Karras`.
 * @throws AppError `invalid_request` "Sampler not found", or for a schedule that is not there.
 */
export function samplerChoice(name: string, schedule?: string): SamplerChoice {
  const whole = samplerNamed(name);
  if (whole) return chosen(whole, schedule);
  for (const each of SCHEDULES) {
    for (const suffix of namesOf(each)) {
      const end = ` ${suffix.toLowerCase()}`;
      if (!name.toLowerCase().endsWith(end)) continue;
      const sampler = samplerNamed(name.slice(0, -end.length));
      if (sampler) return chosen(sampler, isAutomatic(schedule) ? each.label : schedule);
    }
  }
  throw new AppError("invalid_request", `Cannot generate: Sampler not found: ${name}`, {
    field: "sampler_name",
  });
}

/** What a request's `scheduler` is for it. */
export function schedulerOf({ sampler, schedule }: SamplerChoice): GenerationRequest["scheduler"] {
  const { preset, config } = samplerNamed(sampler) ?? SAMPLERS[0];
  if (schedule === undefined) return preset;
  const { label, config: spacing } = scheduleNamed(schedule) ?? SCHEDULES[1];
  if (preset !== "" && label === "Uniform") return preset;
  const karras = `${preset}_karras`;
  if (label === "Karras" && schedulerNames.includes(karras)) return karras;
  return { ...config, ...spacing };
}

/** The same the other way, as far as it has such names. */
export function samplerOf(scheduler: GenerationRequest["scheduler"]): SamplerChoice | undefined {
  if (scheduler === undefined) return undefined;
  const config = typeof scheduler === "string" ? configOf(scheduler) : scheduler;
  const sampler = SAMPLERS.find(({ config: own }) => matches(config, own));
  if (!sampler) return { sampler: String(config._class_name ?? scheduler), schedule: undefined };
  if (!sampler.spaced) return { sampler: sampler.name, schedule: undefined };
  const spacing = SCHEDULES.slice(2).find(({ config: own }) => matches(config, own));
  return { sampler: sampler.name, schedule: spacing?.label ?? "Uniform" };
}

/** A name of ours as a config. */
function configOf(name: string): Readonly<Record<string, unknown>> {
  const karras = name.endsWith("_karras");
  const preset = PRESETS[name] ?? (karras ? name.slice(0, -"_karras".length) : name);
  const sampler = SAMPLERS.find((each) => each.preset === preset);
  const spaced = karras || name === "sde-dpmsolver++";
  return sampler ? { ...sampler.config, ...(spaced && { use_karras_sigmas: true }) } : {};
}

/** Other names of the same. */
const PRESETS: Readonly<Record<string, string>> = {
  "dpmsolver++": "dpmpp_2m",
  "sde-dpmsolver++": "dpmpp_2m_sde",
};

function matches(
  config: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(own).every(([key, value]) => (config[key] ?? false) === value);
}

function chosen({ name, usual, spaced }: Sampler, schedule?: string): SamplerChoice {
  if (!isAutomatic(schedule) && !scheduleNamed(schedule)) {
    throw new AppError("invalid_request", `Cannot generate: Scheduler not found: ${schedule}`, {
      field: "scheduler",
    });
  }
  if (!spaced) return { sampler: name, schedule: undefined };
  const label = isAutomatic(schedule) ? usual : scheduleNamed(schedule)?.label;
  return { sampler: name, schedule: label ?? usual };
}

function isAutomatic(schedule: string | undefined): schedule is undefined | "" {
  return (schedule ?? "") === "" || schedule?.toLowerCase() === "automatic";
}

function samplerNamed(name: string): Sampler | undefined {
  return SAMPLERS.find((each) =>
    [each.name, ...each.aliases].some((own) => own.toLowerCase() === name.trim().toLowerCase())
  );
}

function scheduleNamed(name: string): Schedule | undefined {
  return SCHEDULES.find((each) =>
    namesOf(each).some((own) => own.toLowerCase() === name.toLowerCase())
  );
}

function namesOf({ name, label, aliases }: Schedule): readonly string[] {
  return [label, name, ...aliases];
}
