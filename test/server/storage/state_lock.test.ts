import { mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { openDatabase, storageFailed, takeFolder } from "../../../server/storage/mod.ts";
import type { NamedBy } from "../../../server/storage/storage_error.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT)";

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("a folder for state, and the database in it, are for their owner alone", async () => {
  const folder = join(await temporaryFolder(), "state");
  using _ = await takeFolder(folder, ["miner"]);
  const path = join(folder, "ledger.sqlite");
  const database = openDatabase(path, SCHEMA);
  database.exec("INSERT INTO things VALUES ('one')");
  expect(await modeOf(folder)).toBe("700");
  expect(await Promise.all([path, `${path}-wal`, `${path}-shm`].map(modeOf)))
    .toEqual(["600", "600", "600"]);
  database.close();
});

test("two uses share a folder; the same use twice is refused, until the first has ended", async () => {
  const folder = join(await temporaryFolder(), "state");
  using stack = new DisposableStack();
  const forward = await takeFolder(folder, ["forward"]);
  stack.use(await takeFolder(folder, ["stress"]));
  expect(await rejection(takeFolder(folder, ["forward", "stress"]))).toMatchObject({
    code: "storage_failed",
    message: `Cannot keep state in ${folder}: process ${process.pid} uses it as forward; ` +
      "end that, or give this one a folder of its own",
    field: "storage",
  });
  forward[Symbol.dispose]();
  stack.use(await takeFolder(folder, ["forward"]));
});

test("a file in the folder's place is one error that names it", async () => {
  const folder = join(await temporaryFolder(), "state");
  await writeFile(folder, "a file");
  expect(await rejection(takeFolder(folder, ["miner"]))).toMatchObject({
    code: "storage_failed",
    message: `Cannot keep ${folder}: a file is where a folder has to be. Move it away, or name ` +
      "another folder with --storage",
  });
  const below = join(folder, "below");
  expect((await rejection(takeFolder(below, ["miner"]))).message)
    .toContain(`Cannot keep ${below}: a file is where a folder has to be`);
});

test("a lock that cannot be written, as on a full disk, is one error that names it", async () => {
  const folder = await temporaryFolder();
  await symlink("/dev/full", join(folder, ".lock-miner"));
  expect(await rejection(takeFolder(folder, ["miner"]))).toMatchObject({
    code: "storage_failed",
    message: expect.stringContaining(`Cannot keep ${join(folder, ".lock-miner")}`),
  });
});

test.each<[string, NamedBy, RegExp]>([
  [
    "EACCES",
    "STEPWISE_CACHE",
    /no\. Allow writing there, or set STEPWISE_CACHE to another folder$/,
  ],
  ["EACCES", "--storage", /no\. Allow writing there, or name another folder with --storage$/],
  [
    "ENOSPC",
    "STEPWISE_CACHE",
    /Free some space, or set STEPWISE_CACHE to a folder on another disk$/,
  ],
  ["ENOSPC", "--storage", /Free some space, or name a folder on another disk with --storage$/],
  ["ENOTDIR", "STEPWISE_CACHE", /Move it away, or set STEPWISE_CACHE to another folder$/],
  ["EIO", "--storage", /no$/],
])("%s has the remedy of what names the folder: %s", async (code, namedBy, words) => {
  const cause = Object.assign(new Error("no"), { code });
  expect((await storageFailed("/x", cause, namedBy)).message).toMatch(words);
});

test("a damaged database, or one that cannot be made, is one error that names it", async () => {
  const folder = await temporaryFolder();
  const damaged = join(folder, "damaged.sqlite");
  await writeFile(damaged, "this is no database, and longer than its header would be".repeat(10));
  const inTheWay = join(folder, "folder.sqlite");
  await mkdir(inTheWay);
  for (const path of [damaged, inTheWay, join(folder, "none", "ledger.sqlite")]) {
    expect(thrownBy(() => openDatabase(path, SCHEMA))).toMatchObject({
      code: "storage_failed",
      message: expect.stringContaining(`Cannot open ${path}`),
    });
  }
});
