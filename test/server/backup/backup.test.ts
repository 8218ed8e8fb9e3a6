import { join } from "node:path";
import { expect, test } from "vitest";
import { backUp, moveInto } from "../../../server/backup/backup.ts";
import { restore } from "../../../server/backup/restore.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";

const NEURON = "validator/finney-1/5Own";

/** State of a validator that is used meanwhile. */
async function used() {
  const root = await temporaryFolder();
  const from = join(root, "state");
  const own = join(from, NEURON);
  await Deno.mkdir(join(own, "jobs"), { recursive: true });
  await Deno.mkdir(join(own, "transcripts"));
  await Deno.writeTextFile(join(own, "jobs", "image.png"), "an image");
  await Deno.writeTextFile(join(own, "transcripts", "run.safetensors"), "steps");
  await Deno.writeTextFile(join(own, ".lock-forward"), "7");
  const ledger = new Ledger(join(own, "ledger.sqlite"));
  for (let k = 0; k < 500; k++) ledger.results.served(`r${k}`, "5A");
  return { root, from, ledger, [Symbol.dispose]: () => ledger[Symbol.dispose]() };
}

const back = (from: string, to: string, transcripts = false) =>
  backUp({ from, to, transcripts, version: "0.1.0" });

test("state that is in use is backed up as of one moment, and restored", async () => {
  using state = await used();
  const [to, again] = [join(state.root, "backup"), join(state.root, "again")];
  const { files } = await back(state.from, to);
  state.ledger.results.served("later", "5A");
  expect(files.map(({ path }) => path))
    .toEqual([`${NEURON}/jobs/image.png`, `${NEURON}/ledger.sqlite`]);
  await restore(to, again);
  using restored = new Ledger(join(again, NEURON, "ledger.sqlite"));
  expect(restored.metrics("5A").served).toBe(500);
  expect(await Deno.readTextFile(join(again, NEURON, "jobs", "image.png"))).toBe("an image");
});

test("steps of images are backed up where they are wanted", async () => {
  using state = await used();
  const { files } = await back(state.from, join(state.root, "backup"), true);
  expect(files.map(({ path }) => path)).toContain(`${NEURON}/transcripts/run.safetensors`);
});

test("folders may end with a slash, and may be there if they are empty", async () => {
  using state = await used();
  const [to, again] = [join(state.root, "backup/"), join(state.root, "again/")];
  await Deno.mkdir(again);
  await back(`${state.from}/`, to);
  await restore(to, again);
  expect(filesIn(again)).toEqual(["validator"]);
  expect(filesIn(state.root)).toEqual(["again", "backup", "state"]);
});

test("what a server writes while its folder is being restored stays", async () => {
  using state = await used();
  const [partial, to] = [join(state.root, "partial"), join(state.root, "to")];
  await Deno.mkdir(partial);
  await Deno.mkdir(to);
  await Deno.writeTextFile(join(to, "ledger.sqlite"), "new");
  expect(await rejection(moveInto(partial, to, "restore"))).toMatchObject({
    code: "storage_failed",
    message: expect.stringMatching(/is not empty/),
  });
  expect(filesIn(to)).toEqual(["ledger.sqlite"]);
});

test("nothing is overwritten, by a backup or by what is restored", async () => {
  using state = await used();
  const to = join(state.root, "backup");
  await back(state.from, to);
  const refused = { code: "storage_failed", message: expect.stringMatching(/is not empty/) };
  expect(await rejection(back(state.from, to))).toMatchObject(refused);
  expect(await rejection(restore(to, state.from))).toMatchObject(refused);
  expect(state.ledger.metrics("5A").served).toBe(500);
});

test.each([
  ["ledger.sqlite", (path: string) => Deno.writeTextFile(path, "x", { append: true })],
  ["ledger.sqlite", (path: string) => Deno.remove(path)],
])("a backup with a damaged %s is not restored, and leaves nothing", async (name, damage) => {
  using state = await used();
  const [to, again] = [join(state.root, "backup"), join(state.root, "again")];
  await back(state.from, to);
  await damage(join(to, NEURON, name));
  expect(await rejection(restore(to, again))).toMatchObject({
    code: "storage_failed",
    message: expect.stringMatching(/ledger\.sqlite of the backup is damaged/),
  });
  expect(filesIn(state.root)).toEqual(["backup", "state"]);
});

test("what is no backup, and files that lead out of one, are refused", async () => {
  using state = await used();
  const to = join(state.root, "backup");
  await back(state.from, to);
  const manifest = join(to, "backup.json");
  const text = await Deno.readTextFile(manifest);
  await Deno.writeTextFile(manifest, text.replace(NEURON, "../outside"));
  const again = join(state.root, "again");
  expect(await rejection(restore(to, again))).toMatchObject({ code: "invalid_request" });
  expect(await rejection(restore(state.from, again))).toMatchObject({ code: "invalid_request" });
  expect(await rejection(back(join(state.root, "backup", "validator", "none"), again)))
    .toMatchObject({ code: "storage_failed" });
});
