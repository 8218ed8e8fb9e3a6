import { expect, onTestFinished, test } from "vitest";
import { runCli } from "../../fixtures/cli.ts";
import { appOf, testGateway } from "../../fixtures/gateway.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const ask = { request: { prompt: "a tau" } };

/** A gateway that runs, and the command line on its folder. */
async function running() {
  const folder = await temporaryFolder();
  const gateway = await testGateway(folder);
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const app = appOf(gateway);
  const keys = (...args: string[]) => runCli(["keys", ...args, "--storage", folder]);
  const post = (key: string) =>
    app.request("/v1/jobs", {
      ...{ method: "POST", body: JSON.stringify(ask) },
      headers: { authorization: `Bearer ${key}` },
    });
  const usage = async (key: string) =>
    await (await app.request("/v1/usage", { headers: { authorization: `Bearer ${key}` } })).json();
  return { gateway, keys, post, usage };
}

test("a key that is made, limited and revoked counts at once in a gateway that runs", async () => {
  const { gateway, keys, post, usage } = await running();
  const made = await keys("new", "website", "--images", "1", "--models", "tau-tiny");
  const key = made.stdout.trim();
  expect(key).toMatch(/^sk-stepwise-[\w-]{43}$/);
  const { id } = await (await post(key)).json();
  await gateway.parts.jobs.wait(gateway.parts.keys.admit(`Bearer ${key}`).id, id);
  expect((await post(key)).status).toBe(429);
  await keys("limit", "website", "--images", "none");
  expect((await post(key)).status).toBe(202);
  const { stdout } = await keys("show", "website");
  expect(stdout).toMatch(/state +valid\n.*\nexpires +never\nmodels +tau-tiny\nwebhooks .*whsec_/s);
  expect(stdout).not.toContain(key);
  expect(await usage(key)).toMatchObject({ key: { name: "website" }, days: [{ failures: 0 }] });
  await keys("revoke", "website");
  expect((await post(key)).status).toBe(403);
  expect((await keys("list")).stdout).toMatch(/website +revoked/);
});

test("a key has its own policy on what is not for everybody, or the validator's", async () => {
  const { gateway, keys } = await running();
  const policy = () => gateway.store.keys.named("website").limits.nsfw;
  await keys("new", "website", "--nsfw", "block");
  expect(policy()).toBe("block");
  await keys("limit", "website", "--nsfw", "none");
  expect(policy()).toBeUndefined();
  // As the first versions left a key out of the policy.
  gateway.store.keys.limit(
    gateway.store.keys.named("website").id,
    { nsfw: true } as never,
    undefined,
  );
  expect(policy()).toBe("off");
  expect((await keys("limit", "website", "--nsfw", "some")).code).not.toBe(0);
});

test("only hashes are kept", async () => {
  const { gateway, keys } = await running();
  const key = (await keys("new", "website")).stdout.trim();
  expect(JSON.stringify(gateway.store.keys.list())).not.toContain(key);
});

test("a key is taken until its last day has begun", async () => {
  const { keys, post } = await running();
  const key = (await keys("new", "website", "--expires", "2020-01-31")).stdout.trim();
  expect((await post(key)).status).toBe(403);
  await keys("limit", "website", "--expires", "none");
  expect((await post(key)).status).toBe(202);
});

test("usage is a table for spreadsheets, in which no name is a formula", async () => {
  const { gateway, keys } = await running();
  await keys("new", '=1+1, "x"');
  const [{ id }] = gateway.store.keys.list();
  gateway.store.usage.made(id, { width: 64, height: 64, steps: 4 });
  gateway.store.usage.failed(id);
  const [head, row] = (await keys("usage", "--csv")).stdout.trim().split("\n");
  expect(head).toBe("day,key,images,pixel_steps,failures");
  expect(row).toMatch(/^\d{4}-\d\d-\d\d,"'=1\+1, ""x""",1,16384,1$/);
});

test.each([
  [["new", "a", "--images", "many"], /--images is many/],
  [["new", "a", "--expires", "soon"], /--expires is soon/],
  [["new", " a"], /name is " a"/],
  [["show", "nobody"], /none named nobody/],
])("keys %j is refused", async (args, message) => {
  const { keys } = await running();
  const { code, stderr } = await keys(...args);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test("two keys have two names", async () => {
  const { keys } = await running();
  await keys("new", "website");
  expect((await keys("new", "website")).stderr).toMatch(/name is website, which another key has/);
});
