import { expect, test } from "vitest";
import { minerCommand } from "../../../server/miner/command.ts";

test.each(
  [
    ["by default", [], true],
    ["where it is said", ["--blacklist.force_validator_permit"], true],
    ["unless it is switched off", ["--no-blacklist.force_validator_permit"], false],
  ] as const,
)("only validators may ask, %s", (_, args, forced) => {
  const command = minerCommand();
  command.parseOptions([...args]);
  expect(command.opts()["blacklist.force_validator_permit"]).toBe(forced);
});
