import { evidenceCheats } from "./evidence_cheats.ts";
import type { Cheat } from "./lab.ts";
import { modelCheats } from "./model_cheats.ts";
import { predictionCheats } from "./prediction_cheats.ts";

/** All cheats that are tried. */
export const zoo: readonly Cheat[] = [...predictionCheats, ...modelCheats, ...evidenceCheats];
