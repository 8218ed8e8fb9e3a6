import { expect, test } from "vitest";
import { decodeCatalogue, embeddedModel } from "../../../core/model/catalogue.ts";
import { parseModelSource } from "../../../core/model/mod.ts";
import { planFor } from "../../../core/request/mod.ts";
import catalogueJson from "../../../models/catalogue.json" with { type: "json" };
import { measuredCatalogue } from "../../../models/write_catalogue.ts";

test("models/catalogue.json states the embedded models' files as they are", async () => {
  // Fails after a change of the model until `deno run -A models/write_catalogue.ts` is run.
  expect(decodeCatalogue(catalogueJson)).toEqual(await measuredCatalogue());
});

test("embeddedModel is tau-tiny", () => {
  expect(embeddedModel(decodeCatalogue(catalogueJson))?.id).toBe("tau-tiny");
});

test("models that were only read of are marked so, and named where they are published", () => {
  const { models } = decodeCatalogue(catalogueJson);
  expect(models.filter(({ ran }) => ran).map(({ id }) => id)).toEqual(["tau-tiny"]);
  for (const { id, source, ran, tolerances, files } of models.filter(({ ran }) => !ran)) {
    expect(parseModelSource(source), id).toMatchObject({ kind: "hub" });
    expect({ ran, tolerances, files }, id).toEqual({ ran: false, files: {} });
  }
});

test("a model's default scheduler is one that can be planned", () => {
  const { models } = decodeCatalogue(catalogueJson);
  const own = { _class_name: "EulerDiscreteScheduler", timestep_spacing: "leading" };
  for (const { defaults: { scheduler, steps } } of models) {
    expect(planFor(own, { scheduler, steps, width: 64, height: 64 }).plan.rows).toHaveLength(steps);
  }
});

const [entry] = catalogueJson.models;

test.each([
  ["a path that leaves the model", {
    ...entry,
    files: { "../x": { size: 1, sha256: "0".repeat(64) } },
  }],
  ["a hash that is none", { ...entry, files: { x: { size: 1, sha256: "abc" } } }],
  ["an unknown family", { ...entry, family: "dalle" }],
  ["an unknown field", { ...entry, colour: "blue" }],
])("decodeCatalogue refuses %s", (_, bad) => {
  expect(() => decodeCatalogue({ models: [bad] })).toThrow(
    expect.objectContaining({ code: "invalid_config" }),
  );
});

test("decodeCatalogue refuses two models of one id", () => {
  expect(() => decodeCatalogue({ models: [entry, entry] })).toThrow(/id tau-tiny is doubled/);
});
