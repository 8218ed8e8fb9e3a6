import { expect, test } from "vitest";
import { Links } from "../../../server/gateway/routes/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const DAY_MS = 24 * 3600 * 1000;

test("a link opens one image for a day, and no other for any time", () => {
  let now = Date.UTC(2027, 0, 1);
  const links = new Links(new Uint8Array(32), () => now);
  const { searchParams } = new URL(links.to("job_a", 0), "http://gateway.test");
  const [expires, signature] = ["expires", "signature"].map((name) => searchParams.get(name) ?? "");
  const check = (job: string, n: number, until = expires) => () =>
    links.check(job, n, until, signature);
  expect(check("job_a", 0)).not.toThrow();
  for (const wrong of [check("job_b", 0), check("job_a", 1), check("job_a", 0, `${expires}0`)]) {
    expect(wrong).toThrow("its link is not whole");
  }
  const other = new Links(new Uint8Array(32).fill(1), () => now);
  expect(() => other.check("job_a", 0, expires, signature)).toThrow("its link is not whole");
  now += DAY_MS;
  expect(check("job_a", 0)).not.toThrow();
  now += 1000;
  expect(thrownBy(check("job_a", 0))).toMatchObject({ code: "not_allowed" });
});
