import { expect, test } from "vitest";
import { runCli, runProcess } from "../../fixtures/cli.ts";

test(
  "bench chain reports round trips, and the heap at each quarter of what it followed",
  async () => {
    const { code, stdout } = await runProcess([
      ...["bench", "chain", "--blocks", "8", "--block-time", "50", "--neurons", "5"],
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Metagraph of 5 neurons by the runtime API +1 round trip +[\d.]+ ms/);
    expect(stdout).toMatch(/Metagraph of 5 neurons by the storage maps +3 round trips +[\d.]+ ms/);
    expect(stdout).toMatch(/8 blocks by one subscription in \d+ s, none missed, none twice/);
    for (const block of [2, 4, 6, 8]) {
      expect(stdout).toMatch(new RegExp(`after +${block} blocks +[\\d.]+ MB of heap in use`));
    }
  },
);

test.each([["--blocks", "3"], ["--neurons", "257"], ["--block-time", "no"]])(
  "bench chain %s %s is refused in words",
  async (flag, value) => {
    const { code, stdout, stderr } = await runCli(["bench", "chain", flag, value]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(new RegExp(`${flag} is ${value}, not a whole number`));
  },
);
