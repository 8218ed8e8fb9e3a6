import { parseModelJson } from "../model/mod.ts";
import type { AdaptedPart, ModuleName } from "./lora_names.ts";

/** What PEFT keeps beside the tensors. */
export interface LoraNotes {
  /** undefined where nothing is noted: alpha is the rank then. */
  alphaOf(module: ModuleName): number | undefined;
  /** rsLoRA: the scale is alpha / sqrt(rank). */
  rootedIn(part: AdaptedPart): boolean;
}

type Refuse = (why: string) => never;

/** Longer ones are no names of modules. */
const MAX_PATTERN = 300;
/** A repeated group may take exponential time on names that do not match. */
const REPEATED_GROUP = /\)[*+?{]/;
const MAX_REPEATS = 2;

/**
 * @param text `{"unet.lora_alpha": 8, "unet.alpha_pattern": {"to_q": 4}}`, or the same without a part.
 */
export function decodeNotes(text: string | undefined, refuse: Refuse): LoraNotes {
  const notes = text === undefined ? {} : parseNotes(text, refuse);
  const of = (part: AdaptedPart, key: string) => notes[`${part}.${key}`] ?? notes[key];
  const patterns = new Map<AdaptedPart, readonly Pattern[]>();
  const patternsOf = (part: AdaptedPart) => {
    const known = patterns.get(part) ?? compile(Object(of(part, "alpha_pattern")), refuse);
    patterns.set(part, known);
    return known;
  };
  return {
    alphaOf: ({ part, path }) => {
      const pattern = patternsOf(part).find(({ end }) => end.test(path));
      const alpha = pattern ? pattern.alpha : of(part, "lora_alpha");
      return typeof alpha === "number" ? alpha : undefined;
    },
    rootedIn: (part) => of(part, "use_rslora") === true,
  };
}

interface Pattern {
  readonly end: RegExp;
  readonly alpha: unknown;
}

/** Regular expressions of a name's end, the first that matches: `get_pattern_key` of peft 0.21. */
function compile(pattern: Record<string, unknown>, refuse: Refuse): readonly Pattern[] {
  return Object.entries(pattern).map(([key, alpha]) => {
    const repeats = key.match(/[*+{]/g)?.length ?? 0;
    if (key.length > MAX_PATTERN || REPEATED_GROUP.test(key) || repeats > MAX_REPEATS) {
      return refuse(`alpha_pattern ${key.slice(0, 60)} is more than a name's end with few repeats`);
    }
    return { end: regExpOf(key, refuse), alpha };
  });
}

function regExpOf(key: string, refuse: Refuse): RegExp {
  try {
    return new RegExp(`^(?:.*\\.)?(?:${key})$`, "s");
  } catch {
    return refuse(`alpha_pattern ${key.slice(0, 60)} is no regular expression`);
  }
}

function parseNotes(text: string, refuse: Refuse): Record<string, unknown> {
  try {
    return Object(parseModelJson(text));
  } catch {
    return refuse("its lora_adapter_metadata is not JSON");
  }
}
