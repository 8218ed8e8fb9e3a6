import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../../core/transcript/mod.ts";
import { codeOf } from "./hostile.ts";

// Input and output of RFC 8785, sections 3.2.2 and 3.2.3.
test("canonicalJson writes the RFC's example", () => {
  const input = JSON.parse(
    `{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
      `"string":"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}`,
  );
  expect(canonicalJson(input)).toBe(
    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
      `"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
  );
});

// Section 3.2.3: keys by UTF-16 code units, so that a surrogate pair comes before U+FB33.
test("canonicalJson sorts keys as the RFC's example does", () => {
  const input = { "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, "ö": 7 };
  const values = [...canonicalJson(input).matchAll(/:(\d)/g)].map(([, value]) => Number(value));
  expect(values).toEqual([2, 4, 6, 7, 1, 5, 3]);
});

test("canonicalJson is one text for one value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const again = JSON.parse(JSON.stringify(value));
      expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(again));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ["NaN", NaN],
  ["an infinity", { a: [-Infinity] }],
  ["undefined", { a: undefined }],
  ["bigint", 1n],
  ["half a surrogate pair", "\ud800"],
  ["such a key", { "\udc00": 1 }],
  ["too many levels", JSON.parse("[".repeat(40) + "]".repeat(40))],
])("canonicalJson refuses %s", (_, value) => {
  expect(codeOf(() => canonicalJson(value))).toBe("json_invalid");
});
