import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import {
  type Attestation,
  attestationMessage,
  type SignedAttestation,
} from "../../../core/protocol/mod.ts";
import { ReplayWindow, RequestGuard } from "../../../server/http/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { ValidatorMetrics } from "../../../server/validator/metrics.ts";
import { validatorRoutes } from "../../../server/validator/routes.ts";

const RECEIPT = "ab".repeat(32);
const MINUTE = 60_000;
const checker = openHotkey("11".repeat(32));
const stranger = openHotkey("22".repeat(32));

let stack: DisposableStack;
let ledger: Ledger;
const logged: unknown[] = [];
let app: ReturnType<typeof validatorRoutes>;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1), toFake: ["Date"] });
  stack = new DisposableStack();
  ledger = stack.use(new Ledger(":memory:"));
  logged.length = 0;
  app = validatorRoutes({
    ...{ version: "test", forwarding: undefined, info: () => ({}), ledger },
    log: (event, facts) => logged.push([event, facts]),
    guard: new RequestGuard(checker.address, stack.use(new ReplayWindow(":memory:"))),
    metrics: new ValidatorMetrics({ miners: () => 0, block: () => undefined }),
    registered: (address) => address === checker.address,
  });
});
afterEach(() => {
  vi.useRealTimers();
  stack.dispose();
});

async function signed(
  change: Partial<Attestation> = {},
  by = checker,
): Promise<SignedAttestation> {
  const attestation: Attestation = {
    ...{ version: 1, receipt: RECEIPT, verdict: "honest", level: 2, steps: [1], at: Date.now() },
    ...{ checker: by.address, ...change },
  };
  const signature = (await by.sign(attestationMessage(attestation))).toHex();
  return { attestation, signature: `0x${signature}` };
}

async function send(body: unknown): Promise<{ readonly status: number; readonly json: unknown }> {
  const response = await app.request("/v1/attestations", {
    ...{ method: "POST", body: JSON.stringify(body) },
  });
  return { status: response.status, json: await response.json() };
}

async function stored(): Promise<readonly SignedAttestation[]> {
  const response = await app.request(`/v1/attestations?receipt=${RECEIPT}`);
  return (await response.json()).attestations;
}

test("an older attestation that somebody sends again does not displace the newer", async () => {
  const older = await signed({ verdict: "suspect" });
  expect(await send(older)).toEqual({ status: 200, json: { stored: true } });
  vi.setSystemTime(Date.now() + MINUTE);
  const newer = await signed();
  expect(await send(newer)).toEqual({ status: 200, json: { stored: true } });
  expect(await send(older)).toEqual({ status: 200, json: { stored: false } });
  expect(await stored()).toEqual([newer]);
});

test.each([[-61, 401], [-59, 200], [0.9, 200], [2, 401]])(
  "signed %d minutes from now: %i",
  async (minutes, status) => {
    const answer = await send(await signed({ at: Date.now() + minutes * MINUTE }));
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.json).toMatchObject({ error: { code: "request_stale" } });
  },
);

test("an address that is none is the sender's mistake", async () => {
  expect(await send(await signed({ checker: "5Nobody" }))).toMatchObject({
    status: 400,
    json: {
      error: {
        code: "invalid_request",
        message: expect.stringMatching(/checker is "5Nobody", not an SS58 address/),
      },
    },
  });
});

test("a key of another subnet, and another's signature", async () => {
  expect((await send(await signed({}, stranger))).status).toBe(403);
  const forged = { ...await signed({}, stranger), attestation: (await signed()).attestation };
  expect(await send(forged)).toMatchObject({
    status: 401,
    json: { error: { code: "signature_invalid" } },
  });
  expect(await stored()).toEqual([]);
});

test("junk in one name costs it no turn; what it signed itself does", async () => {
  const junk = { ...await signed(), signature: `0x${"00".repeat(64)}` };
  const statuses: number[] = [];
  for (let k = 0; k < 25; k++) statuses.push((await send(junk)).status);
  expect(statuses).toEqual(Array(25).fill(401));
  const own: number[] = [];
  for (let k = 0; k < 21; k++) own.push((await send(await signed())).status);
  expect(own).toEqual([...Array(20).fill(200), 429]);
});

describe("who calls an image suspect", () => {
  beforeEach(() => ledger.doubts.made(RECEIPT, "5Miner"));

  test.each(["suspect", "invalid"] as const)("%s: has its miner checked again", async (verdict) => {
    await send(await signed({ verdict }));
    expect(ledger.wantsRetest("5Miner")).toBe(true);
    const facts = { hotkey: "5Miner", receipt: RECEIPT, verdict, checker: checker.address };
    expect(logged).toContainEqual(["doubted", facts]);
    // A word, and no proof.
    expect(ledger.metrics("5Miner").cheated).toBe(false);
  });

  test("and who calls it honest, or has no key here, does not", async () => {
    await send(await signed({ verdict: "honest" }));
    await send(await signed({ verdict: "suspect" }, stranger));
    expect(ledger.wantsRetest("5Miner")).toBe(false);
  });

  test("and who says so of an image that was not made for us does not", async () => {
    expect((await send(await signed({ verdict: "suspect", receipt: "cd".repeat(32) }))).status)
      .toBe(200);
    expect(ledger.wantsRetest("5Miner")).toBe(false);
  });
});
