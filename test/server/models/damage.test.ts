import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { damaged } from "../../../server/models/damage.ts";
import { FolderFiles } from "../../../server/models/folder_files.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

test("damaged names files by their whole path, spaces included", async () => {
  const location = await temporaryFolder();
  await writeFile(join(location, "read me.txt"), "abc");
  const files = await FolderFiles.open({ name: "a model", location });
  const expected = { size: 4, sha256: "0".repeat(64) };
  const found = await damaged(files, [["read me.txt", expected], ["not here", expected]], false);
  expect(found).toEqual([
    { path: "read me.txt", why: "has 3 bytes, expected 4" },
    { path: "not here", why: "is missing" },
  ]);
});
