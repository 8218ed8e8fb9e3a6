import os from "node:os";
import process from "node:process";
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { parseJsonText } from "../../../core/json_text.ts";
import { inputFormat, textIn, withoutMetadata } from "../../../core/image/mod.ts";
import { readInfotext } from "../../../core/infotext/mod.ts";
import { type Route, route } from "../../http/mod.ts";
import { type GatewayParts, readCallBody } from "../routes/mod.ts";
import type { ApiKey, Job } from "../store/mod.ts";
import { keyOf } from "./auth.ts";
import { type A1111Call, decode, decodeCall, dictOf } from "./call.ts";
import { callFiles, givenFiles, imageBytes } from "./call_files.ts";
import { A1111Error, a1111Response, refuseField } from "./errors.ts";
import { hiresOrder, hiresRequest, wantsHires } from "./hires.ts";
import { infoOf } from "./info.ts";
import {
  lorasList,
  modelsList,
  optionsOf,
  samplersList,
  schedulersList,
  upscalersList,
} from "./lists.ts";
import { type A1111Order, type NamedLora, namesModel, orderOf } from "./order.ts";
import { progressOf } from "./progress.ts";
import { Sessions } from "./session.ts";

/** What AUTOMATIC1111's API is served with. */
export interface A1111Parts {
  readonly gateway: GatewayParts;
  readonly loras: readonly NamedLora[];
  /** Of this program, for the texts of images. */
  readonly version: string;
  /** In [0, 1). */
  readonly random: () => number;
  /** Called with our own mistakes. */
  readonly failed: (error: unknown) => void;
}

const ERRORS = [401, 404, 422, 429, 503];

/** Calls of one server. */
class A1111 {
  readonly #parts: A1111Parts;
  readonly #sessions: Sessions;
  readonly #model: { readonly id: string; readonly manifest: string };

  constructor(parts: A1111Parts) {
    this.#parts = parts;
    this.#sessions = new Sessions(parts.gateway);
    this.#model = parts.gateway.model;
  }

  async draw(owner: ApiKey, json: unknown, signal: AbortSignal, isImg2img: boolean) {
    const call = decodeCall(json);
    const again = wantsHires(call);
    if (isImg2img && again) refuseField("enable_hr", "it is of txt2img alone");
    const order = this.#orderOf(owner, call, isImg2img);
    if (again) await this.#parts.gateway.model.check(hiresRequest(call, order.requests[0]));
    const job = await this.#run(owner, call, order, signal, again);
    const images = call.send_images === false ? [] : await this.#imagesOf(job);
    const { init_images: _, mask: __, ...echo } = Object(json);
    return {
      images: images.map((file) => file.toBase64()),
      parameters: { ...echo, ...(isImg2img && { init_images: null, mask: null }) },
      info: this.#infoOf(order, job),
    };
  }

  #orderOf(owner: ApiKey, call: A1111Call, isImg2img: boolean): A1111Order {
    const { gateway: { model, pictures }, loras, random } = this.#parts;
    const context = { defaults: model.defaults, loras, random, model: this.#model.id };
    const order = orderOf(call, {}, context);
    if (!isImg2img) return order;
    const given = givenFiles(call);
    const ready = async () => orderOf(call, await callFiles(given, owner.id, pictures), context);
    return { ...order, ready };
  }

  async #run(
    owner: ApiKey,
    call: A1111Call,
    order: A1111Order,
    signal: AbortSignal,
    again: boolean,
  ): Promise<Job> {
    const { pictures } = this.#parts.gateway;
    const job = await this.#sessions.make(owner, order, signal);
    if (!again || job.state === "cancelled") return job;
    const next = await hiresOrder(
      ...[call, order, await this.#firstsOf(job)] as const,
      (larger) => pictures.ask(owner.id, "enlarged", larger),
    );
    return next.requests.length > 0 ? await this.#sessions.make(owner, next, signal) : job;
  }

  #infoOf(order: A1111Order, { images }: Job): string {
    const { gateway: { store }, version } = this.#parts;
    const made = images.flatMap(({ request, record, state }) =>
      state === "done" && record ? { request, receipt: record.receipt } : []
    );
    return infoOf({ order, made, model: this.#model, version, now: new Date(store.now()) });
  }

  async #firstsOf(job: Job) {
    const done = job.images.filter(({ state }) => state === "done");
    return await Promise.all(done.map(async ({ n, request, record }) => ({
      request,
      file: withoutMetadata(await this.#parts.gateway.jobs.image(job, n), "png"),
      id: record?.id ?? "",
    })));
  }

  async #imagesOf(job: Job) {
    const done = job.images.filter(({ state }) => state === "done");
    return await Promise.all(done.map(({ n }) => this.#parts.gateway.jobs.image(job, n)));
  }

  progress(owner: ApiKey, withImage: boolean): unknown {
    const { jobs, store } = this.#parts.gateway;
    return progressOf(this.#sessions.current(owner), jobs, { now: store.now(), withImage });
  }

  interrupt(owner: ApiKey): void {
    this.#sessions.interrupt(owner);
  }

  lists(): Readonly<Record<string, () => unknown>> {
    const none = () => [];
    return {
      samplers: samplersList,
      schedulers: schedulersList,
      "sd-models": () => modelsList(this.#model),
      loras: () => lorasList(this.#parts.loras),
      upscalers: upscalersList,
      ...{ "sd-vae": none, "latent-upscale-modes": none, "face-restorers": none },
      ...{ hypernetworks: none, "prompt-styles": none, "realesrgan-models": none },
      embeddings: () => ({ loaded: {}, skipped: {} }),
      scripts: () => ({ txt2img: [], img2img: [] }),
      "cmd-flags": () => ({}),
      options: () => optionsOf(this.#model),
      memory,
    };
  }

  /** Clients send all options back: only another model would change an image, and there is none. */
  setOptions(json: unknown): null {
    const { sd_model_checkpoint: model } = dictOf(json);
    if (model !== undefined && !namesModel(String(model), this.#model.id)) {
      refuseField("sd_model_checkpoint", `there is no such model; this one has ${this.#model.id}`);
    }
    return null;
  }
}

/** AUTOMATIC1111's API. @param before what every request passes first, such as CORS. */
export function a1111Routes(
  parts: A1111Parts,
  before: readonly MiddlewareHandler[] = [],
): Route[] {
  const a1111 = new A1111(parts);
  const { keys } = parts.gateway;
  const answer =
    (work: (context: Context, owner: ApiKey) => unknown): Route["handle"] => async (context) => {
      try {
        const owner = keyOf(context.req.header("authorization"), keys);
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

const imageCall = z.object({ image: z.string() });

function pngInfo(json: unknown): unknown {
  const { image } = decode(imageCall, json);
  const bytes = imageBytes(image, "image");
  const format = inputFormat(bytes);
  const info = format && textIn(bytes, format);
  if (info === undefined) return { info: "", items: {}, parameters: {} };
  const { prompt, negativePrompt, parameters } = readInfotext(info);
  return {
    info,
    items: { parameters: info },
    parameters: { Prompt: prompt, "Negative prompt": negativePrompt, ...parameters },
  };
}

const extraCall = z.object({
  image: z.string(),
  resize_mode: z.int().min(0).max(1).default(0),
  upscaling_resize: z.number().min(1).max(8).default(2),
  upscaling_resize_w: z.int().min(1).max(4096).default(512),
  upscaling_resize_h: z.int().min(1).max(4096).default(512),
  upscaling_crop: z.boolean().default(true),
  upscaler_1: z.string().default("None"),
  upscaler_2: z.string().default("None"),
  gfpgan_visibility: z.number().default(0),
  codeformer_visibility: z.number().default(0),
});

async function extraImage(
  json: unknown,
  owner: ApiKey,
  { keys, pictures }: Pick<GatewayParts, "keys" | "pictures">,
): Promise<unknown> {
  const call = decode(extraCall, dictOf(json));
  for (const field of ["gfpgan_visibility", "codeformer_visibility"] as const) {
    if (call[field] > 0) refuseField(field, "faces are not restored here");
  }
  for (const field of ["upscaler_1", "upscaler_2"] as const) {
    if (!["None", "Lanczos"].includes(call[field])) refuseField(field, "take Lanczos, or None");
  }
  const file = imageBytes(call.image, "image");
  const size = call.resize_mode === 0
    ? call.upscaling_resize
    : { width: call.upscaling_resize_w, height: call.upscaling_resize_h };
  keys.take(owner);
  const enlarged = await pictures.ask(owner.id, "enlarged", {
    ...{ file, size: call.upscaler_1 === "None" ? 1 : size },
  });
  return { image: enlarged.toBase64(), html_info: "" };
}

function memory(): unknown {
  const { rss: used } = process.memoryUsage();
  return {
    ram: { free: os.freemem(), used, total: os.totalmem() },
    cuda: { error: "images are made by miners" },
  };
}
