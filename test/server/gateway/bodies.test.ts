import { expect, test } from "vitest";
import { Bodies, MAX_OPEN_BYTES } from "../../../server/gateway/routes/bodies.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

test("a key's bodies in work are bounded, and no other key's by them", () => {
  const bodies = new Bodies();
  const large = String(48 * 2 ** 20);
  const held = [large, large, large, large].map((length) => bodies.take("a", length));
  // A body of no stated length may be as long.
  held.push(bodies.take("a", undefined));
  expect(thrownBy(() => bodies.take("a", large))).toMatchObject({ code: "rate_limited" });
  held.push(bodies.take("a", "1000"), bodies.take("b", String(MAX_OPEN_BYTES)));
  held[0][Symbol.dispose]();
  held[0] = bodies.take("a", large);
  // An empty one, as what stops a job, has room beside any.
  bodies.take("a", "0")[Symbol.dispose]();
  for (const each of held) each[Symbol.dispose]();
  expect(thrownBy(() => bodies.take("a", large))).toBeUndefined();
});
