/** One step of one image, as a transcript has it before the step. */
export interface StepState {
  /** From 0. */
  readonly index: number;
  /** x of this index, float16 bits: u16[channels, height, width]. */
  readonly bits: Uint16Array;
}
