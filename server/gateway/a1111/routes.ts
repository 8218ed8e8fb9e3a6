import type { Context, MiddlewareHandler } from "hono";
import { parseJsonText } from "../../../core/json_text.ts";
import { type Route, route } from "../../http/mod.ts";
import { readCallBody } from "../routes/mod.ts";
import type { ApiKey } from "../store/mod.ts";
import { keyOf } from "./auth.ts";
import { A1111, type A1111Parts } from "./calls.ts";
import { A1111Error, a1111Response } from "./errors.ts";
import { extraImage, pngInfo } from "./extras.ts";

const ERRORS = [401, 404, 422, 429, 503];

/** AUTOMATIC1111's API. @param before what every request passes first, such as CORS. */
export function a1111Routes(
  parts: A1111Parts,
  before: readonly MiddlewareHandler[] = [],
): Route[] {
  const a1111 = new A1111(parts);
  const { keys, bodies } = parts.gateway;
  const answer =
    (work: (context: Context, owner: ApiKey) => unknown): Route["handle"] => async (context) => {
      try {
        const owner = keyOf(context.req.header("authorization"), keys);
        using _ = context.req.method === "GET"
          ? undefined
          : bodies.take(owner.id, context.req.header("content-length"));
        return Response.json(await work(context, owner));
      } catch (error) {
        return a1111Response(error, parts.failed);
      }
    };
  const get = (name: string, summary: string, work: Parameters<typeof answer>[0]) =>
    route({
      ...{
        method: "get",
        path: `/sdapi/v1/${name}`,
        auth: "basic",
        answer: "A1111",
        errors: [401],
      },
      ...{ summary, before, handle: answer(work) },
    });
  const post = (name: string, summary: string, work: Parameters<typeof answer>[0]) =>
    route({
      ...{ method: "post", path: `/sdapi/v1/${name}`, auth: "basic", answer: "A1111" },
      ...{ errors: ERRORS, summary, before, handle: answer(work) },
    });
  return [
    post(
      "txt2img",
      "AUTOMATIC1111: images of a prompt",
      async (context, owner) =>
        await a1111.draw(owner, await jsonOf(context), context.req.raw.signal, false),
    ),
    post(
      "img2img",
      "AUTOMATIC1111: images of an image",
      async (context, owner) =>
        await a1111.draw(owner, await jsonOf(context), context.req.raw.signal, true),
    ),
    post("interrupt", "AUTOMATIC1111: end what is made", (_, owner) => {
      a1111.interrupt(owner);
      return {};
    }),
    post("skip", "AUTOMATIC1111: as interrupt", (_, owner) => {
      a1111.interrupt(owner);
      return null;
    }),
    get(
      "progress",
      "AUTOMATIC1111: how far it is",
      ({ req }, owner) => a1111.progress(owner, req.query("skip_current_image") !== "true"),
    ),
    post(
      "options",
      "AUTOMATIC1111: nothing that changes images",
      async (context) => a1111.setOptions(await jsonOf(context)),
    ),
    post(
      "png-info",
      "AUTOMATIC1111: how an image was made",
      async (context) => pngInfo(await jsonOf(context)),
    ),
    post(
      "extra-single-image",
      "AUTOMATIC1111: an image enlarged by Lanczos' kernel",
      async (context, owner) => await extraImage(await jsonOf(context), owner, parts.gateway),
    ),
    ...["refresh-checkpoints", "refresh-loras", "refresh-vae", "unload-checkpoint"].map((name) =>
      post(name, "AUTOMATIC1111: nothing is to be done", () => null)
    ),
    post("reload-checkpoint", "AUTOMATIC1111: nothing is to be done", () => null),
    ...Object.entries(a1111.lists()).map(([name, list]) =>
      get(name, `AUTOMATIC1111: ${name}`, () => list())
    ),
    // aiyabot asks Gradio, and falls over what is no JSON.
    route({
      ...{ method: "get", path: "/config", auth: "open", answer: "A1111", errors: [] },
      summary: "AUTOMATIC1111: Gradio's page, which has nothing here",
      ...{ before, handle: (context) => context.json({ components: [] }) },
    }),
    route({
      ...{ method: "post", path: "/login", auth: "open", answer: "A1111", errors: [] },
      summary: "AUTOMATIC1111: keys are sent with each call",
      ...{ before, handle: (context) => context.json({ success: true }) },
    }),
    get(":other", "AUTOMATIC1111: what is not served", notFound),
    post(":other", "AUTOMATIC1111: what is not served", notFound),
  ];
}

function notFound(): never {
  throw new A1111Error(404, "Not Found");
}

async function jsonOf(context: Context): Promise<unknown> {
  const body = await readCallBody(context.req.raw);
  try {
    return parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new A1111Error(422, [
      { loc: ["body"], msg: "Expecting value", type: "value_error.jsondecode" },
    ]);
  }
}
