import { expect, test } from "vitest";
import type { Metagraph } from "../../../server/chain/mod.ts";
import { Permit } from "../../../server/validator/permit.ts";

const [SELF, MINERS] = ["5Self", ["5One", "5Two"]];

function metagraph(validatorPermit: boolean, ownerHotkey = "5Owner"): Metagraph {
  return { neurons: [{ hotkey: SELF, validatorPermit }], ownerHotkey } as unknown as Metagraph;
}

test("a validator tests nobody before it has its permit, and says so once", () => {
  const said: string[] = [];
  const permit = new Permit(SELF, (event) => void said.push(event));
  for (let look = 0; look < 3; look++) {
    expect(permit.testable(metagraph(false), MINERS)).toEqual([]);
  }
  expect(said).toEqual(["not testing"]);
  expect(permit.testable(metagraph(true), MINERS)).toEqual(MINERS);
  expect(permit.testable(metagraph(false), MINERS)).toEqual([]);
  expect(said).toEqual(["not testing", "not testing"]);
});

test("the subnet's owner needs none", () => {
  const permit = new Permit(SELF, () => {});
  expect(permit.testable(metagraph(false, SELF), MINERS)).toEqual(MINERS);
});
