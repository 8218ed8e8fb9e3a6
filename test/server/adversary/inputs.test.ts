import { afterAll, beforeAll, expect, test } from "vitest";
import {
  askedRun,
  examineCheat,
  honestCheck,
  INPUT_KINDS,
  type InputChecker,
  sourceCheats,
} from "../../../core/adversary/mod.ts";
import { type ImageEngine, Pipeline } from "../../../core/generation/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { openVerifier } from "../../../core/verifier/mod.ts";
import { inputsTable } from "../../../server/adversary/inputs_table.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { gradient } from "../../fixtures/pictures.ts";

const SIDE = 64;
const ORDER = {
  ...{ prompt: "a golden tau symbol", scheduler: "sde-dpmsolver++", strength: 0.75, factor: 1.5 },
  ...{ width: SIDE, height: SIDE, steps: 4, guidanceScale: 4, seed: 5n },
};
let engine: ImageEngine;
let lab: InputChecker;
beforeAll(async () => {
  const model = await openKnownModel("embedded");
  engine = await Pipeline.open(model.files, await cpuRuntime());
  lab = { engine, model, verifier: await openVerifier(model), miner: openHotkey(undefined) };
});
afterAll(() => engine[Symbol.asyncDispose]());

/** Of those that the network shows, the steps that are cheated are flagged one by one: of int(4 * 0.75), or 4. */
const SEEN: Readonly<Record<string, readonly [seen: string, flagged: number]>> = {
  "strength lowered": ["receipt", 0],
  "an upscale without the refinement": ["network", 3],
  "another source image": ["source", 0],
  "a stamp in the source image": ["source", 0],
  "an ignored mask": ["mask", 0],
  "ControlNet left out": ["network", 4],
  "ControlNet left out of the last half": ["network", 2],
  "ControlNet's scale lowered": ["network", 4],
  "another control image": ["network", 4],
  "a stamp in the control image": ["network", 4],
  "a parent that is not the source": ["receipt", 0],
  "an enlargement of another image": ["parent", 0],
};

test.each(sourceCheats.map((cheat) => [cheat.name, cheat] as const))(
  "%s is seen by every check of three steps",
  async (name, cheat) => {
    const found = await examineCheat(cheat, ORDER, gradient(SIDE, 220), lab);
    expect([found.seen, found.flagged]).toEqual(SEEN[name]);
    expect(found.passes).toBe(0);
    expect(
      inputsTable({
        order: { steps: 4, size: SIDE },
        cheats: [{ cheat, tried: [found] }],
        honest: [],
      }),
    )
      .toContain(name);
  },
);

test.each(INPUT_KINDS)("an honest run of the kind %s is honest", async (kind) => {
  expect(await honestCheck(kind, ORDER, engine, lab)).toEqual({ verdict: "honest", reasons: [] });
});

test("each kind names what it starts from", async () => {
  const { request, parent } = await askedRun("enlarged parent", ORDER, lab);
  expect(request).toMatchObject({ width: 96, strength: 0.75, upscaler: "lanczos" });
  expect(parent?.receipt.request).toMatchObject({ width: SIDE, seed: "6" });
});
