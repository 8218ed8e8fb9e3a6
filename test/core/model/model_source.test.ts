import { expect, test } from "vitest";
import { decodeCatalogue } from "../../../core/model/catalogue.ts";
import { isModelPath } from "../../../core/model/model_path.ts";
import { describeSource, parseModelSource } from "../../../core/model/model_source.ts";

const entry = (id: string, source: string) => ({
  id,
  name: id,
  family: "sdxl",
  source,
  licence: "MIT",
  ran: false,
  description: "for tests",
  files: {},
  defaults: { steps: 1, guidanceScale: 0, width: 64, height: 64 },
});
const catalogue = decodeCatalogue({
  models: [entry("far", "hf:acme/far@v2"), entry("near", "embedded")],
});
const hub = { kind: "hub", owner: "acme", name: "tiny-1.0", revision: "main" };

test.each([
  ["embedded", { kind: "embedded", id: "near" }],
  ["near", { kind: "embedded", id: "near" }],
  ["far", { kind: "hub", owner: "acme", name: "far", revision: "v2" }],
  ["hf:acme/tiny-1.0", hub],
  [" hf:acme/tiny-1.0@refs/pr/1 ", { ...hub, revision: "refs/pr/1" }],
  ["https://huggingface.co/acme/tiny-1.0", hub],
  ["https://huggingface.co/acme/tiny-1.0/tree/v2", { ...hub, revision: "v2" }],
  ["http://10.0.0.1:80/m/x?key=1#top", { kind: "url", base: "http://10.0.0.1/m/x/?key=1" }],
  ["./models/x", { kind: "folder", path: "./models/x" }],
  ["/models/x", { kind: "folder", path: "/models/x" }],
  ["C:\\models\\x", { kind: "folder", path: "C:\\models\\x" }],
  ["unheard-of", { kind: "folder", path: "unheard-of" }],
])("parseModelSource reads %j", (given, source) => {
  expect(parseModelSource(given, catalogue)).toEqual(source);
});

test.each([
  "",
  "hf:",
  "hf:alone",
  "hf:../x",
  "hf:a/..",
  "hf:a/b@../c",
  "ftp://a/b",
  "https://",
  "s3://b/k",
])(
  "parseModelSource refuses %j and names the forms",
  (given) => {
    expect(() => parseModelSource(given, catalogue)).toThrow(
      expect.objectContaining({
        code: "model_not_found",
        message: expect.stringMatching(/embedded.*folder.*hf:owner\/name\[@revision\].*http/),
      }),
    );
  },
);

test("describeSource keeps an address's query and password to itself", () => {
  const source = parseModelSource("https://user:pass@host.example/m?signature=secret");
  expect(describeSource(source)).toBe("https://host.example/m/");
});

test("isModelPath keeps inside the folder", () => {
  expect(["model_index.json", "unet/model.onnx", "a/..b"].filter(isModelPath)).toHaveLength(3);
  const outside = ["", "/etc", "../x", "a/../b", "a//b", "./a", "a\\b", "C:x", "a\0"];
  expect(outside.filter(isModelPath)).toEqual([]);
});
