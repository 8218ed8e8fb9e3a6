/// <reference path="./private_files.d.ts" />
import { expose } from "comlink";
import { afterAll, expect, test, vi } from "vitest";

/** What the page's worker says of the job, in turn; undefined where it has ended well. */
const answers: (string | undefined)[] = [];
const { port1: worker, port2: page } = new MessageChannel();
const ACCESS = { url: "http://validator.example/", key: "k" };
const ORDER = {
  ...{ prompt: "a tau", negativePrompt: "", seed: "7", steps: 4, guidanceScale: 5, size: 64 },
};

expose({
  submitJob: () => "job_1",
  readKey: () => ({ name: "k", today: 0 }),
  cancelJob: () => undefined,
  watchJob() {
    const name = answers.shift();
    if (name !== undefined) throw Object.assign(new Error("Cannot follow the job"), { name });
  },
}, worker);
page.start();
// The page's modules look at where they are.
vi.stubGlobal("location", new URL("http://page.example/#/create"));
vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("Worker", function () {
  return page;
});
const { makeByMiners, orders } = await import("../../browser/app/create/orders.ts");

afterAll(() => {
  page.close();
  worker.close();
  vi.unstubAllGlobals();
});

test("a job that cannot be followed now is kept, and followed when its user tries again", async () => {
  answers.push("opening_withheld", undefined);
  await makeByMiners(ACCESS, ORDER, 1);
  expect(orders.value).toMatchObject([{ problem: "Cannot follow the job" }]);
  orders.value[0].kept?.tryAgain();
  expect(orders.value).toMatchObject([{ status: "Asking again..." }]);
  expect(orders.value[0].problem).toBeUndefined();
  await vi.waitUntil(() => orders.value.length === 0);
});

test("one that its validator has no more is over: there is nothing to try", async () => {
  answers.push("job_not_found");
  await makeByMiners(ACCESS, ORDER, 1);
  expect(orders.value).toMatchObject([{ problem: "Cannot follow the job" }]);
  expect(orders.value[0].kept).toBeUndefined();
});
