import type { AppError } from "../../core/error.ts";

/** Which flag of a command sets a field that an error of core names. */
const FLAGS: Readonly<Record<string, string>> = {
  prompt2: "--prompt2",
  negativePrompt: "--negative",
  negativePrompt2: "--negative2",
  width: "--width",
  height: "--height",
  steps: "--steps",
  guidanceScale: "--guidance",
  seed: "--seed",
  batch: "--batch",
  scheduler: "--scheduler",
  weighting: "--weighting",
  clipSkip: "--clip-skip",
  guidanceRescale: "--guidance-rescale",
  compute: "--compute cpu",
  model: "--model",
  from: "--from",
  storage: "--storage",
};

/** An error as a command prints it: its sentence, and the flag that it is put right by. */
export function sentenceOf({ message, field }: AppError): string {
  const flag = field === undefined ? undefined : FLAGS[field];
  return flag === undefined ? `${message}.` : `${message} (${flag}).`;
}
