import { expect, test } from "vitest";
import { takeLoraTags } from "../../../core/prompt/mod.ts";
import { weightedText } from "../../../core/prompt/weighted_text.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** Fragments as `text*weight`, sections apart. */
function read(prompt: string, weighting: "a1111" | "compel"): string[][] {
  return weightedText(prompt, weighting).map((section) =>
    section.map(({ text, weight }) => `${text}*${Number(weight.toFixed(4))}`)
  );
}

// The rules of AUTOMATIC1111's wiki page Features, "Attention/emphasis".
test.each<[string, string[][]]>([
  ["a red bird", [["a red bird*1"]]],
  ["a (red) bird", [["a *1", "red*1.1", " bird*1"]]],
  ["a ((red)) bird", [["a *1", "red*1.21", " bird*1"]]],
  ["a [red] bird", [["a *1", "red*0.9091", " bird*1"]]],
  ["a (red:1.3) bird", [["a *1", "red*1.3", " bird*1"]]],
  ["a (red :1.3 ) bird", [["a *1", "red *1.3", " bird*1"]]],
  ["a (red:.5) bird", [["a *1", "red*0.5", " bird*1"]]],
  ["(a (red:1.5) bird:2)", [["a *2", "red*3", " bird*2"]]],
  ["([red])", [["red*1"]]],
  ["a \\(red\\) bird", [["a (red) bird*1"]]],
  ["a red) bird]", [["a red) bird]*1"]]],
  ["a (red bird", [["a *1", "red bird*1.1"]]],
  ["at 5:30 o'clock", [["at 5:30 o'clock*1"]]],
  ["a bird BREAK (a tree)", [["a bird*1"], ["a tree*1.1"]]],
  ["(a bird BREAK a tree)", [["a bird*1.1"], ["a tree*1.1"]]],
  ["a BREAKER", [["a BREAKER*1"]]],
  // Only what ends with a number is a schedule.
  ["[a frame: gold] bird", [["a frame: gold*0.9091", " bird*1"]]],
  ["[a (bird:1.2)] sea", [["a *0.9091", "bird*1.0909", " sea*1"]]],
  ["", [[]]],
])("a1111 reads %j", (prompt, expected) => {
  expect(read(prompt, "a1111")).toEqual(expected);
});

// The rules of compel's documentation, doc/syntax.md.
test.each<[string, string[][]]>([
  ["a red++ bird", [["a*1", "red*1.21", "bird*1"]]],
  ["a (red bird)- flies", [["a*1", "red bird*0.9", "flies*1"]]],
  ["a (red bird)1.4 flies", [["a*1", "red bird*1.4", "flies*1"]]],
  ["a well-known bird", [["a well-known bird*1"]]],
])("compel reads %j", (prompt, expected) => {
  expect(read(prompt, "compel")).toEqual(expected);
});

test.each(
  [
    ["a [red:blue:0.3] bird", "a1111", "[red:blue:0.3]"],
    ["a [red|blue] bird", "a1111", "[red|blue]"],
    ["a bird AND a tree", "a1111", "AND"],
    ["<lora:style:0.8> a bird", "a1111", "<lora:style:0.8>"],
    ["a [(red:1.2) bird:blue:3] sea", "a1111", "[(red:1.2) bird:blue:3]"],
    ["<hypernet:style:0.8> a bird", "a1111", "<hypernet:style:0.8>"],
    ["<lora:style:loud> a bird", "a1111", "<lora:style:loud>"],
    ['("a", "b").blend(1, 1)', "compel", ").blend("],
    ['("a", "b").and()', "compel", ").and("],
    ["a cat.swap(dog)", "compel", ".swap("],
    ["a bird withLora(style)", "compel", "withLora("],
  ] as const,
)("%j is refused in %s, naming what is not built", (prompt, weighting, named) => {
  expect(thrownBy(() => weightedText(prompt, weighting))).toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining(JSON.stringify(named)),
  });
});

// A1111's wiki page Features, "Extra networks", and its source: the text encoder's scale comes first, and
// is the UNet's too where that is left out.
test.each([
  ["<lora:neon>", 1, 1],
  ["<lora:neon:0.8>", 0.8, 0.8],
  ["<lora:neon:0.5:0.8>", 0.5, 0.8],
  ["<lora:neon:te=0.5:unet=.8>", 0.5, 0.8],
  ["<lyco:neon:-1>", -1, -1],
])("takeLoraTags reads %s", (tag, textScale, unetScale) => {
  expect(takeLoraTags(`a ${tag} bird`)).toEqual({
    prompt: "a  bird",
    loras: [{ name: "neon", textScale, unetScale, tag }],
  });
});

test.each(["(", "[", "( ", "(a ", "(a (b) ", '"', '"a ', "((((", "a+", "\\\\"])(
  "a prompt full of %j is read at once, in both ways",
  (part) => {
    const prompt = part.repeat(10_000 / part.length);
    for (const weighting of ["a1111", "compel"] as const) {
      expect(() => weightedText(prompt, weighting)).not.toThrow();
    }
  },
);
