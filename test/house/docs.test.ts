import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ERROR_CODES, type ErrorCode } from "../../core/error_codes.ts";
import { adversaryCommand } from "../../server/adversary/mod.ts";
import { backupCommand } from "../../server/backup/mod.ts";
import { benchCommand } from "../../server/bench/mod.ts";
import { calibrateCommand } from "../../server/calibrate/mod.ts";
import { devnetCommand, walletCommand } from "../../server/chain/mod.ts";
import { contentCommand } from "../../server/content/mod.ts";
import { demoCommand } from "../../server/demo/mod.ts";
import { discordCommand } from "../../server/discord/mod.ts";
import { keysCommand } from "../../server/gateway/mod.ts";
import { generateCommand } from "../../server/generate/mod.ts";
import { installCommand, updateCommand } from "../../server/install/mod.ts";
import { modelsCommand } from "../../server/library/mod.ts";
import { minerCommand, workerCommand } from "../../server/miner/mod.ts";
import { payoutCommand } from "../../server/payout/mod.ts";
import { statusCommand } from "../../server/status/mod.ts";
import { validatorCommand } from "../../server/validator/mod.ts";
import { verifyCommand } from "../../server/verify/mod.ts";
import { buildCommand, webCommand } from "../../server/web/mod.ts";
import { anchors, localLinks, namedFiles, readPages, tableRows } from "./docs.ts";
import { importsOf, readHouse } from "./import_rules.ts";

const ROOT = join(import.meta.dirname ?? ".", "../..");
const pages = readPages(ROOT);
const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
const textOf = (path: string) => pages.find((page) => page.path === path)?.text ?? "";
/** Rooms of the first level, by the folders that have a door. */
const rooms = ["core", "server"].flatMap((top) =>
  [...Deno.readDirSync(join(ROOT, top))]
    .filter(({ name }) => existsSync(join(ROOT, top, name, "mod.ts")))
    .map(({ name }) => `${top}/${name}`)
);

describe.each(pages)("$path", (page) => {
  test("links to files and headings that exist", () => {
    const broken = localLinks(page).filter(({ path, heading }) =>
      !existsSync(join(ROOT, path)) ||
      (heading !== "" && !anchors(textOf(path)).includes(heading))
    );
    expect(broken).toEqual([]);
  });

  test("names files that exist", () => {
    expect(namedFiles(page).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("names tasks that exist", () => {
    const named = [...page.text.matchAll(/\btask ([a-z][a-z:_-]*)/g)].map(([, name]) => name);
    expect(named.filter((name) => !Object.hasOwn(tasks, name))).toEqual([]);
  });
});

test("pages and gate name one version of Deno, and the gate runs README's tests", () => {
  const gate = { path: ".ci/run", text: Deno.readTextFileSync(join(ROOT, ".ci/run")) };
  const versions = [...pages, gate].flatMap(({ text }) => text.match(/deno@[\d.]*\d/g) ?? []);
  expect([...new Set(versions)]).toHaveLength(1);
  const command = `npx -y ${versions[0]} task test`;
  expect([gate.text, textOf("README.md")].map((text) => text.includes(command)))
    .toEqual([true, true]);
});

test("ERRORS.md is what the table of error codes says, code by code and in its order", () => {
  const rows = tableRows(textOf(".github/ERRORS.md"));
  const stated = rows.map(([code, status, blame, , remedy]) => ({ code, status, blame, remedy }));
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  expect(stated).toEqual(codes.map((code) => ({
    code: `\`${code}\``,
    status: String(ERROR_CODES[code].status),
    blame: ERROR_CODES[code].blame,
    remedy: ERROR_CODES[code].remedy,
  })));
  for (const [code, , , meaning] of rows) expect(meaning, code).toMatch(/^\S+ .*\S$/);
});

describe("ARCHITECTURE.md", () => {
  const rows = tableRows(textOf(".github/ARCHITECTURE.md"))
    .filter(([layer]) => /^\d+$/.test(layer));
  const layers = new Map(rows.map(([layer, room]) => [room.replaceAll("`", ""), Number(layer)]));

  test("lists every room, and no other", () => {
    expect([...layers.keys()].toSorted()).toEqual(rooms.toSorted());
    for (const [, room, use] of rows) expect(use, room).toMatch(/\w/);
  });

  test("puts every room above those that it imports from", () => {
    const wrong = readHouse(ROOT).flatMap(importsOf).flatMap(({ from, target }) => {
      const [above, below] = [roomOf(from), roomOf(target ?? "")];
      const [high, low] = [layers.get(above), layers.get(below)];
      if (above === below || !sameTop(above, below) || high === undefined) return [];
      return low !== undefined && low >= high ? [`${above} (${high}) -> ${below} (${low})`] : [];
    });
    expect([...new Set(wrong)]).toEqual([]);
  });
});

const roomOf = (path: string) => path.split("/").slice(0, 2).join("/");
const sameTop = (a: string, b: string) => dirname(a) === dirname(b);

const COMMANDS: readonly (() => Command)[] = [
  ...[
    generateCommand,
    verifyCommand,
    minerCommand,
    workerCommand,
    statusCommand,
    validatorCommand,
    demoCommand,
  ],
  ...[devnetCommand, walletCommand, buildCommand, webCommand, installCommand],
  ...[benchCommand, adversaryCommand, calibrateCommand, modelsCommand, payoutCommand],
  ...[contentCommand, discordCommand, keysCommand, backupCommand, updateCommand],
];

test.each(["README.md", ".github/USING.md", "server/OPERATING.md"])(
  "%s names flags that the commands have",
  (path) => {
    const commands = COMMANDS.map((make) => make()).flatMap((each) => [each, ...each.commands]);
    const own = commands.flatMap(({ options }) => options.map(({ long }) => long ?? ""));
    const flags = new Set([...own, "--help"]);
    const named = [...textOf(path).matchAll(/(?<![\w-])--[a-z][\w.-]*/g)].map(([flag]) => flag);
    expect(named).not.toEqual([]);
    expect(named.filter((flag) => !flags.has(flag))).toEqual([]);
  },
);
