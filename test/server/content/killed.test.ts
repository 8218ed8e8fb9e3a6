import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { verifyBatch } from "../../../server/content/batch.ts";
import { folderStore } from "../../../server/content/object_store.ts";
import { Publications } from "../../../server/content/publications.ts";
import { listen } from "../../../server/http/mod.ts";
import { childCommand } from "../../../server/runtime/mod.ts";
import { Payouts } from "../../../server/payout/mod.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

/** `KILLS=500 deno task test killed` kills so many of each. */
const KILLS = Number(process.env.KILLS ?? 10);
/** Milliseconds that a process has at most after the chain has first heard of it. */
const LIFE_MS = 60;

/** A chain that outlives those who use it, and takes each transaction once. */
async function chain() {
  const app = new Hono();
  const paid = new Map<string, bigint>();
  const roots: string[] = [];
  let heard: () => void = () => {};
  let signed = 0;
  app.use(async (_context, next) => {
    heard();
    await next();
  });
  app.post("/sign", async (context) => {
    const transfers: { to: string; rao: string }[] = await context.req.json();
    return context.json({ hex: JSON.stringify(transfers), hash: `hash ${++signed}`, until: 0 });
  });
  app.post("/send", async (context) => {
    const { hex, hash } = await context.req.json();
    const sum = JSON.parse(hex).reduce(
      (all: bigint, { rao }: { rao: string }) => all + BigInt(rao),
      0n,
    );
    paid.set(hash, sum);
    return context.json({});
  });
  app.post("/outcome", async (context) => {
    const { hash } = await context.req.json();
    return context.json(paid.has(hash) ? { state: "paid", block: 1 } : { state: "void" });
  });
  app.post("/commit", async (context) => {
    roots.push(await context.req.text());
    return context.json({});
  });
  const server = await listen({ hostname: "127.0.0.1", port: 0 }, (request) => app.fetch(request));
  let closed: Promise<void> | undefined;
  const close = () => closed ??= server.shutdown();
  onTestFinished(close);
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, paid, roots, close, next: () => new Promise<void>((resolve) => heard = resolve) };
}

/** Starts a process and kills it with -9 at some moment of its work, so many times. */
async function killed(
  main: URL,
  args: readonly string[],
  { next }: { readonly next: () => Promise<void> },
): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) {
    const heard = next();
    const child = spawn(...childCommand(fileURLToPath(main), args), { stdio: "ignore" });
    const ended = once(child, "exit").then(([, signal]) => signal);
    await Promise.race([heard, ended]);
    // At any moment of its rounds: nothing is asserted of when.
    await new Promise((resolve) => setTimeout(resolve, LIFE_MS * kill / KILLS));
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
  }
}

test("money is neither lost nor sent twice, however often who sends it is killed", async () => {
  const path = join(await temporaryFolder(), "payouts.sqlite");
  const played = await chain();
  const main = new URL("../../fixtures/payout_process_main.ts", import.meta.url);
  await killed(main, [path, played.url], played);
  // What a killed process sent may be on its way still: the chain hears no more of it from here on.
  await played.close();
  using payouts = new Payouts(path);
  await payouts.send({
    sign: () => expect.fail(),
    ...{ send: () => Promise.resolve() },
    outcome: ({ hash }) =>
      Promise.resolve(played.paid.has(hash) ? { state: "paid", block: 1 } : { state: "void" }),
  }).catch(() => {});
  const onChain = [...played.paid.values()].reduce((sum, rao) => sum + rao, 0n);
  const booked = payouts.payments().filter(({ state }) => state === "paid")
    .reduce((sum, { rao }) => sum + rao, 0n);
  expect(booked).toBe(onChain);
  expect(payouts.balance("paid")).toBe(onChain);
  expect(onChain).toBeGreaterThan(0n);
  // Each transaction on the chain is of payments that the ledger knows, and of no others.
  const known = new Set(payouts.payments().map(({ hash }) => hash));
  expect([...played.paid.keys()].filter((hash) => !known.has(hash))).toEqual([]);
});

test("each piece is in one batch, which is whole and committed to, however often it is killed", async () => {
  const folder = await temporaryFolder();
  const [path, batches] = [join(folder, "content.sqlite"), join(folder, "batches")];
  const played = await chain();
  const main = new URL("../../fixtures/batch_process_main.ts", import.meta.url);
  await killed(main, [path, batches, played.url], played);
  using publications = new Publications(path);
  const store = folderStore(batches);
  const pieces: string[] = [];
  for (const { cid, root } of publications.batches()) {
    const { index } = await verifyBatch(await store.get(`${cid}.car`) ?? new Uint8Array());
    expect(index.root).toBe(root);
    expect(played.roots).toContain(root);
    pieces.push(...index.pieces.map(({ id }) => id));
  }
  pieces.push(...publications.piecesOf(publications.openBatch() ?? -1).map(({ id }) => id));
  pieces.push(...publications.waiting(1_000_000, Infinity).map(({ id }) => id));
  expect(new Set(pieces).size).toBe(pieces.length);
  expect(pieces.toSorted()).toEqual(publications.list(1_000_000).map(({ id }) => id).toSorted());
  expect(pieces.length).toBeGreaterThanOrEqual(KILLS);
  // What was begun and not finished is another name's leftovers, never half a batch.
  const files = (await readdir(batches)).filter((name) => name.endsWith(".car"));
  expect(files.length).toBeGreaterThanOrEqual(publications.batches().length);
});
