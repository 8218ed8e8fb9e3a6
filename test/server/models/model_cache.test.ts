import { expect, test } from "vitest";
import { cacheName, modelCacheFolder } from "../../../server/models/model_cache.ts";

test.each([
  [{ HOME: "/home/a" }, "/home/a/.cache/stepwise/models"],
  [{ HOME: "/home/a", XDG_CACHE_HOME: "/caches" }, "/caches/stepwise/models"],
  [{ HOME: "/home/a", XDG_CACHE_HOME: "/caches", STEPWISE_CACHE: "/big/disk" }, "/big/disk"],
])("modelCacheFolder of %j is %s", (env, folder) => {
  expect(modelCacheFolder(env)).toBe(folder);
});

test("cacheName is readable and a folder's name, also for odd revisions and addresses", () => {
  const hub = { kind: "hub", owner: "acme", name: "tiny", revision: "refs/pr/1" } as const;
  expect(cacheName(hub)).toBe("hf--acme--tiny--refs%2Fpr%2F1");
  expect(cacheName(hub, "0123456789abcdef")).toBe("hf--acme--tiny--0123456789ab");
  const url = (base: string) => cacheName({ kind: "url", base });
  expect(url("http://host:81/m/x/?key=1")).toMatch(/^url--host--81--m--x--[0-9a-f]{12}$/);
  expect(url("http://host:81/m/x/?key=1")).not.toBe(url("http://host:81/m/x/?key=2"));
});
