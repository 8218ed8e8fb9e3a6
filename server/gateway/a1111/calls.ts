import { withoutMetadata } from "../../../core/image/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { GatewayParts } from "../routes/mod.ts";
import type { ApiKey, Job } from "../store/mod.ts";
import { type A1111Call, decodeCall, dictOf } from "./call.ts";
import { callFiles, givenFiles } from "./call_files.ts";
import { refuseField } from "./errors.ts";
import { memory } from "./extras.ts";
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

/** Calls of one server. */
export class A1111 {
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
    if (again) await this.#checkSecond(owner, hiresRequest(call, order.requests[0]));
    const job = await this.#run(owner, call, order, signal, again);
    const images = call.send_images === false ? [] : await this.#imagesOf(job);
    const { init_images: _, mask: __, ...echo } = Object(json);
    return {
      images: images.map((file) => file.toBase64()),
      parameters: { ...echo, ...(isImg2img && { init_images: null, mask: null }) },
      info: this.#infoOf(order, job),
    };
  }

  /** What the second run would be refused for is no reason to make the first. */
  async #checkSecond(owner: ApiKey, request: GenerationRequest): Promise<void> {
    const { model, screen } = this.#parts.gateway;
    await model.check(request);
    screen(owner).request(request);
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
      ...{
        hypernetworks: none,
        "sd-modules": none,
        "prompt-styles": none,
        "realesrgan-models": none,
      },
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
