import { answered, attempt, compute, engine, problem } from "../state/mod.ts";
import type { StoredImage } from "../storage/mod.ts";
import { entered } from "./form_state.ts";
import { makingGateway } from "./gateway.ts";
import { makeByMiners, makeHere, making } from "./orders.ts";
import { signedPicture } from "./signed_picture.ts";

/** Times its width and height. */
const FACTOR = 2;
/** Keeps the picture and draws its details anew. */
const STRENGTH = 0.35;

/**
 * Enlarges an image of the gallery and draws it anew, here or by miners: what is made names its receipt, and
 * what enlarged it. Everybody has Lanczos' kernel; this page's network is for what this browser makes.
 */
export async function upscale(of: StoredImage): Promise<void> {
  const access = makingGateway.value;
  if (!access && making.value) return;
  problem.value = undefined;
  await attempt("generate", async () => {
    const { image, width, height, upscaler } = await answered(engine.enlarge({
      ...{ image: await signedPicture(of), factor: FACTOR },
      by: access ? "lanczos" : "network",
    }));
    const source = { image, strength: STRENGTH, parent: of.id, upscaler };
    // What is made is shown, and no longer what it was made of.
    location.hash = "#/create";
    const order = { ...of.order, source, size: Math.max(width, height) };
    if (access) return await makeByMiners(access, order, 1);
    await makeHere({ ...order, model: entered.value.model.trim(), compute: compute.value }, 1);
  });
}
