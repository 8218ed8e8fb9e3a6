import { describe, expect, test } from "vitest";
import { addressOf, pathOf, PATHS, routeAt } from "../../../core/protocol/mod.ts";

test("pathOf fills in what a path names, and lets no value leave its place", () => {
  expect(pathOf(PATHS.step, { id: "ab", step: 3 })).toBe("/v1/generations/ab/steps/3");
  expect(pathOf(PATHS.image, { id: "../info?" })).toBe("/v1/generations/..%2Finfo%3F/image");
});

describe("addressOf", () => {
  test.each([
    ["http://miner.example", "http://miner.example/v1/info"],
    ["http://miner.example/", "http://miner.example/v1/info"],
    ["https://miner.example/behind/a/path", "https://miner.example/behind/a/path/v1/info"],
    ["http://[2001:db8::1]:8091", "http://[2001:db8::1]:8091/v1/info"],
  ])("keeps the path that %s has", (base, address) => {
    expect(addressOf(base, PATHS.info, {}).href).toBe(address);
  });
});

describe("routeAt", () => {
  test.each(["", "/a", "/a/b"])("reads back what addressOf wrote, below %j", (folder) => {
    const base = `https://miner.example${folder}`;
    const address = addressOf(base, PATHS.step, { id: "ab", step: "end" });
    const whole = { base: `${base}/`, parameters: { id: "ab", step: "end" } };
    expect(routeAt(address, PATHS.step)).toEqual(whole);
    expect(routeAt(address, PATHS.generation)).toEqual({ ...whole, parameters: { id: "ab" } });
  });

  test("is undefined for another route", () => {
    expect(routeAt(new URL("https://miner.example/v1/generate"), PATHS.generation)).toBeUndefined();
    expect(routeAt(new URL("https://miner.example/v1/generations"), PATHS.generation))
      .toBeUndefined();
  });
});
