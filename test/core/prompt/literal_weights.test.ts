import { expect, test } from "vitest";
import { literalNotice, shortened } from "../../../core/prompt/literal_weights.ts";

test.each([
  ["a (red:1.5) tau", "(red:1.5)"],
  ["a (dark red, gold : .8) tau", "(dark red, gold : .8)"],
  ["((gold)) tau", "((gold))"],
  ["a [red:blue:0.5] tau", "[red:blue:0.5]"],
  ["[[blurry]]", "[[blurry]]"],
  ["tau <lora:neon:0.8>", "<lora:neon:0.8>"],
  ["a (red)1.4 tau", "(red)1.4"],
  ["a red++ tau", "red++"],
])("literalNotice quotes %j", (prompt, found) => {
  expect(literalNotice(["", prompt])).toContain(`"${found}" is read as plain text`);
});

test.each([
  "",
  "a tau (gold) at 12:30",
  "[a] frame, (b) sky",
  "C++ on a screen, ratio 16:9",
  "a - b",
])(
  "literalNotice takes %j for plain text",
  (prompt) => expect(literalNotice([prompt])).toBe(undefined),
);

test("shortened leaves out a text's middle, and nothing of a short one", () => {
  expect(shortened("a tau")).toBe("a tau");
  const text = shortened(`begin ${"middle ".repeat(100)}end`);
  expect(text).toMatch(/^begin .* \.\.\. .* end$/);
  expect(text.length).toBeLessThanOrEqual(60);
});
