import type { ChosenSteps } from "./choose_steps.ts";

/** Who or what chose the steps, as a clause: no more is claimed than was looked up. */
export function drawnBy({ draw, ...of }: Omit<ChosenSteps, "steps">): string {
  switch (draw) {
    case "private":
      return "drawn in private";
    case "chosen":
      return "picked by hand";
    case "public":
      return publicly(of);
    default:
      return draw satisfies never;
  }
}

function publicly(
  { blockHash = "", block, witnessed }: Omit<ChosenSteps, "steps" | "draw">,
): string {
  const by = block === undefined
    ? `drawn by a hash that you typed (${blockHash}), which was not looked up on a chain`
    : `drawn by block ${block} (${blockHash}), as the chain's node says`;
  if (!witnessed) return by;
  const { by: validator, at, draws } = witnessed;
  return `${by}; ${validator} had the receipt at block ${at}, and block ${draws} draws it`;
}
