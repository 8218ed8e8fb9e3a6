import { describe, expect, test } from "vitest";
import { ERROR_CODES, type ErrorCode, errorFacts } from "../../core/error_codes.ts";

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

describe("ERROR_CODES", () => {
  test.each(CODES)("%s has a status that its blame allows", (code) => {
    const { blame, status } = errorFacts(code);
    // 4xx asks callers to change something; at 5xx they can only wait or go elsewhere.
    if (blame === "caller") expect(status).toBeLessThan(500);
    if (["operator", "us", "miner", "network"].includes(blame)) expect(status).toBe(500);
    expect(status).toBeGreaterThanOrEqual(400);
  });

  test.each(CODES)("%s has a remedy that is one sentence", (code) => {
    expect(errorFacts(code).remedy).toMatch(/^[A-Z][^\n]{15,}[.]$/);
  });

  test("what proves a forgery is evidence that is refused", () => {
    const forgeries = CODES.filter((code) => errorFacts(code).forgery);
    expect(forgeries).toEqual([
      "receipt_mismatch",
      "image_not_canonical",
      "signature_invalid",
      "opening_invalid",
    ]);
    for (const code of forgeries) expect(errorFacts(code).evidence).toBeDefined();
  });
});
