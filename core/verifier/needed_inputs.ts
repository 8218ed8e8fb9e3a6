import { inputsOf, type RequestInput } from "../request/mod.ts";
import type { Receipt } from "../transcript/mod.ts";
import type { Level } from "./check_image_steps.ts";

/** From which level on the files of each field are needed. */
const NEEDED: Readonly<Record<RequestInput["field"], Level>> = { image: 3, mask: 3, control: 2 };

/** The files that a request names, as far as a check up to the level needs them. */
export function neededInputs(request: Receipt["request"], level: Level): readonly RequestInput[] {
  return inputsOf(request).filter(({ field }) => NEEDED[field] <= level);
}
