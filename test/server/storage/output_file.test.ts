import { join } from "node:path";
import { expect, test } from "vitest";
import { writeTogether } from "../../../server/storage/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const bytes = new TextEncoder().encode("new");

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

test("files that are written together are all there", async () => {
  const folder = await temporaryFolder();
  const paths = ["a", "b"].map((name) => join(folder, name));
  await Deno.writeTextFile(paths[0], "old");
  await writeTogether(paths.map((path) => ({ path, bytes })));
  expect(await Promise.all(paths.map((path) => Deno.readTextFile(path)))).toEqual(["new", "new"]);
  expect(await namesIn(folder)).toEqual(["a", "b"]);
});

test("or none is, where one of them has no place", async () => {
  const folder = await temporaryFolder();
  const lost = join(folder, "gone", "b");
  const files = [{ path: join(folder, "a"), bytes }, { path: lost, bytes }];
  expect(await rejection(writeTogether(files))).toMatchObject({
    code: "storage_failed",
    message: `Cannot write ${lost}: the folder ${join(folder, "gone")} is not there`,
  });
  expect(await namesIn(folder)).toEqual([]);
});
