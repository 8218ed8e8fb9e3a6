import { join } from "node:path";
import { expect, test } from "vitest";
import { hubToken } from "../../../server/models/hub_token.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

/** A home folder with a login. */
async function loggedIn(cache = ".cache/huggingface"): Promise<string> {
  const home = await temporaryFolder();
  await Deno.mkdir(join(home, cache), { recursive: true });
  await Deno.writeTextFile(join(home, cache, "token"), "hf_saved\n");
  return home;
}

test("the environment's token goes before the saved one, the newer name first", async () => {
  const HOME = await loggedIn();
  expect(await hubToken({ HOME, HF_TOKEN: "hf_a", HUGGING_FACE_HUB_TOKEN: "hf_b" })).toBe("hf_a");
  expect(await hubToken({ HOME, HUGGING_FACE_HUB_TOKEN: "hf_b\n" })).toBe("hf_b");
  expect(await hubToken({ HOME, HF_TOKEN: "" })).toBe("hf_saved");
});

test("what hf auth login saved is found where the environment says", async () => {
  expect(await hubToken({ HOME: await loggedIn() })).toBe("hf_saved");
  const home = await loggedIn("elsewhere/huggingface");
  const other = join(home, "elsewhere");
  expect(await hubToken({ HOME: "/nowhere", XDG_CACHE_HOME: other })).toBe("hf_saved");
  expect(await hubToken({ HOME: "/nowhere", HF_HOME: join(other, "huggingface") })).toBe(
    "hf_saved",
  );
  expect(await hubToken({ HOME: home, HF_HOME: "~/elsewhere/huggingface" })).toBe("hf_saved");
  const HF_TOKEN_PATH = join(other, "huggingface/token");
  expect(await hubToken({ HF_HOME: "/nowhere", HF_TOKEN_PATH })).toBe("hf_saved");
});

test("no token is sent without a login, or against the user's wish", async () => {
  expect(await hubToken({ HOME: await temporaryFolder() })).toBeUndefined();
  const HOME = await loggedIn();
  expect(await hubToken({ HOME, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })).toBeUndefined();
});
