import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OnChange, startLog, withUids } from "../../../server/telemetry/mod.ts";

const lines: string[] = [];
const console_ = { ...console };

beforeEach(() => {
  lines.length = 0;
  console.error = (...parts: unknown[]) => void lines.push(parts.join(" "));
});
afterEach(() => {
  Object.assign(console, console_);
  vi.useRealTimers();
});

test("JSON: a line an event, with its time, level and facts", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 27, 16, 20, 3) });
  startLog({ format: "json" })("weights set", { block: 12, uids: [1, 2] });
  expect(lines.map((line) => JSON.parse(line))).toEqual([{
    ...{ time: "2026-11-27T16:20:03.000Z", level: "info", event: "weights set" },
    ...{ block: 12, uids: [1, 2] },
  }]);
});

test("text: what a person reads", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 27, 16, 20, 3) });
  const log = startLog({ format: "text" });
  log("weights not set", { uid: 7, error: "no permit", left: undefined }, "warn");
  expect(lines).toEqual([
    `2026-11-27 16:20:03 WARN  weights not set  uid=7  error="no permit"`,
  ]);
});

test.each(
  [
    ["debug", ["debug", "info", "warn", "error"]],
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    ["error", ["error"]],
  ] as const,
)("--log.level %s writes %j", (level, written) => {
  const log = startLog({ format: "json", level });
  for (const each of ["debug", "info", "warn", "error"] as const) log("event", {}, each);
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(written);
});

test.each(["json", "text"] as const)("%s shows no secret, whatever is logged", (format) => {
  startLog({ format })("failed", {
    ...{ token: "SECRET1", "api.key": "SECRET2", secretPhrase: "SECRET3", hotkey: "5Grw" },
    error: "Cannot fetch http://m/v1/generations/ab/image?token=SECRET4: Bearer SECRET5 is wrong",
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain("SECRET");
  expect(lines[0]).toContain("5Grw");
});

test("what polkadot.js writes to the console is an event at debug", () => {
  const polkadot = () =>
    console.error("2026-11-27 16:21:02", "        API-WS:", "disconnected from ws://x: 1006");
  startLog({ format: "json" });
  polkadot();
  expect(lines).toEqual([]);
  startLog({ format: "json", level: "debug" });
  polkadot();
  console.error("another line");
  expect(lines).toEqual([expect.any(String), "another line"]);
  expect(JSON.parse(lines[0])).toMatchObject({
    ...{ level: "debug", event: "chain library", from: "API-WS" },
    words: "disconnected from ws://x: 1006",
  });
});

test("OnChange logs what lasts once, and again when it comes back", () => {
  const levels: (string | undefined)[] = [];
  const state = new OnChange((_event, _facts, level) => void levels.push(level));
  state.say("no weights", { why: "a" });
  state.say("no weights", { why: "a" });
  state.say("no weights", { why: "b" });
  state.clear();
  state.say("no weights", { why: "b" }, "warn");
  expect(levels).toEqual(["info", "debug", "info", "warn"]);
});

test("withUids adds the uid of an event's hotkey", () => {
  const logged: unknown[] = [];
  const uids: Readonly<Record<string, number>> = { "5Bob": 3 };
  const log = withUids((_, facts) => void logged.push(facts), (hotkey) => uids[hotkey]);
  for (const facts of [{ hotkey: "5Bob" }, { caller: "5Bob" }, { caller: "5Eve" }, { uid: 9 }]) {
    log("event", facts);
  }
  expect(logged).toEqual([
    ...[{ uid: 3, hotkey: "5Bob" }, { uid: 3, caller: "5Bob" }, { caller: "5Eve" }, { uid: 9 }],
  ]);
});
