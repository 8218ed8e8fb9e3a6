import { beyond, digits, type Figures, formatMs, spread } from "../../core/bench/mod.ts";

const ABOUT: Readonly<Record<string, string>> = {
  "bare calls": "as many network calls alone",
  resident: "the loop on the device",
  recorded: "the same, all read for a transcript",
  "read back": "tensors through memory",
};

const WIDTHS = [8, 9, 8, 11];
const HEADS = ["steps/s", "a step", "spread", "over bare"];

/** A step of each loop, a line a host and loop, compared with the bare calls round by round. */
export function loopTable(
  name: string,
  hosts: readonly { readonly host: string; readonly figures: readonly Figures[] }[],
): string[] {
  return [
    lineText(name, HEADS),
    ...hosts.flatMap(({ host, figures }) =>
      figures.map((figure) => {
        const { row: { contender, size: { side } }, median, overNetwork = 0 } = figure;
        const cells = [
          digits(1000 / median),
          formatMs(median),
          spread(figure),
          beyond(overNetwork),
        ];
        const label = `${host} ${side}x${side} ${contender}`;
        return `${lineText(label, cells)}  ${ABOUT[contender] ?? ""}`.trimEnd();
      })
    ),
    "",
  ];
}

function lineText(label: string, cells: readonly string[]): string {
  return label.padEnd(27) + cells.map((cell, k) => cell.padStart(WIDTHS[k])).join("");
}
