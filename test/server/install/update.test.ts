import { join } from "node:path";
import { expect, test } from "vitest";
import { newestOf } from "../../../server/install/update_command.ts";
import { VERSION } from "../../../server/neuron/mod.ts";
import { runCli } from "../../fixtures/cli.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

test("versions are compared as numbers, and what comes before a release is none", () => {
  const tags = ["v0.9.0", "v0.10.0", "v0.2.11", "v1.0.0-rc.1", "nightly"];
  expect(newestOf(tags.map((tag) => `abc\trefs/tags/${tag}`).join("\n"))).toBe("0.10.0");
  expect(newestOf("")).toBeUndefined();
});

test("a repository with a newer tag is told of, one without is not, and none is an error", async () => {
  const folder = await temporaryFolder();
  const git = async (...args: string[]) => {
    const names = ["-c", "user.name=x", "-c", "user.email=x@x", "-C", folder];
    await new Deno.Command("git", { args: [...names, ...args], stdout: "null" }).output();
  };
  await git("init", "-q");
  await git("commit", "-q", "--allow-empty", "-m", "Begin");
  await git("tag", `v${VERSION}`);
  const look = (from: string) => runCli(["update", "--check", "--from", from]);
  expect(await look(folder)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/is the newest/),
  });
  await git("tag", "v99.0.0");
  expect(await look(folder)).toMatchObject({
    code: 10,
    stdout: expect.stringMatching(/Stepwise 99\.0\.0 is there/),
  });
  expect(await look(join(folder, "none"))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--from names/),
  });
});
