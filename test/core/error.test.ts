import { expect, test } from "vitest";
import { reason } from "../../core/error.ts";

test.each([
  ["an error", new TypeError("no such thing"), "no such thing"],
  ["a socket's event", new ErrorEvent("error", { message: "nobody answers" }), "nobody answers"],
  ["a string", "stopped", "stopped"],
  ["nothing", undefined, "undefined"],
])("reason returns the words of %s", (_, thrown, words) => {
  expect(reason(thrown)).toBe(words);
});
