import { expect, test } from "vitest";
import { Progress } from "../../../server/cli/progress.ts";

function output(columns: number) {
  const written: string[] = [];
  return { written, out: { isTTY: true, columns, write: (text: string) => written.push(text) } };
}

const CLEAR = "\r\x1b[2K";

test("on a narrow terminal a bar stays in its row, where it can be drawn again", () => {
  const { written, out } = output(20);
  using progress = new Progress({ quiet: false }, out);
  for (const done of [1, 2]) progress.step("step", done, 300, 1000 * done);
  progress.hint("Loading a part with quite a long name");
  expect(written).toHaveLength(3);
  for (const text of written) {
    expect(text.startsWith(CLEAR)).toBe(true);
    expect(text.slice(CLEAR.length)).toHaveLength(19);
  }
});

test("what is told of a failure finds the terminal's row empty", () => {
  const { written, out } = output(80);
  const run = () => {
    using progress = new Progress({ quiet: false }, out);
    progress.step("step", 1, 300);
    throw new Error("stopped");
  };
  expect(run).toThrow("stopped");
  expect(written.at(-1)).toBe(CLEAR);
});

test.each([[100, "100.0 s left"], [1000, "17 min left"]])(
  "%i seconds are %s",
  (seconds, words) => {
    const { written, out } = output(80);
    using progress = new Progress({ quiet: false }, out);
    progress.step("run", 1, 3, 0);
    progress.step("run", 2, 3, 1000 * seconds);
    expect(written.at(-1)).toContain(`run 2/3, ${words}`);
  },
);
