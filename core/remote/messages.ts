import { z } from "zod";
import type { ErrorCode } from "../error.ts";
import { isErrorCode } from "../error_codes.ts";
import type { MountedAdapter, MountedControl } from "../model/mod.ts";
import type { IndexedTensor } from "../safetensors/mod.ts";
import type { Plan } from "../schedule/mod.ts";

/**
 * What a host and the engines that compute for it, in a Chrome or in a thread, send each other over
 * one channel. A `job` is a number of the host's choosing that every answer repeats. Both sides are
 * of one build.
 */

const job = z.int();
const size = z.int().nonnegative();
const pixels = { width: size, height: size };

/** A model's folder. */
const modelDescription = z.object({
  name: z.string(),
  location: z.string(),
  variant: z.string().optional(),
  /** Where it is read: file `path` is at the address `url` + `path`. Empty: over the channel. */
  url: z.string(),
  /** Bytes of each path. */
  sizes: z.record(z.string(), size),
  /** Of `ModelFiles`, as lists. */
  tensors: z.record(z.string(), z.array(z.custom<IndexedTensor>())).optional(),
  /** As of `ModelFiles`. */
  notices: z.array(z.string()).optional(),
  adapters: z.array(z.custom<MountedAdapter>()).optional(),
  controls: z.array(z.custom<MountedControl>()).optional(),
});
export type ModelDescription = z.infer<typeof modelDescription>;

const engineOrder = z.discriminatedUnion("type", [
  z.object({ type: z.literal("open"), job, model: modelDescription }),
  z.object({
    type: z.literal("generate"),
    job,
    engine: z.int(),
    /** As `encodeRequest` writes it, complete. */
    request: z.record(z.string(), z.unknown()),
    /** Requests of the same batch. */
    batchedWith: z.array(z.record(z.string(), z.unknown())),
    wants: z.object({ leaves: z.boolean(), steps: z.boolean() }),
    /** Payload: u8[height, width, 4] of each, of the request's size. */
    sources: z.array(z.enum(["image", "mask", "control"])),
  }),
  /**
   * Payload: u16[steps, channels, height, width], x of each step as float16 bits, so of mask and kept
   * latent where the source is sent, then u8[height, width, 4] of each control image.
   */
  z.object({
    type: z.literal("predict"),
    job,
    engine: z.int(),
    request: z.record(z.string(), z.unknown()),
    steps: z.array(size),
    controls: size,
    source: z.boolean(),
  }),
  /** Payload: u16[channels, height, width], x_N as float16 bits. */
  z.object({
    type: z.literal("decode"),
    job,
    engine: z.int(),
    request: z.record(z.string(), z.unknown()),
  }),
  /** Payload: u8[height, width, 4] of the request's size, and so its mask where what it keeps is meant. */
  z.object({
    type: z.literal("encode"),
    job,
    engine: z.int(),
    request: z.record(z.string(), z.unknown()),
  }),
  /** Of a `generate`: it then fails with `cancelled`. */
  z.object({ type: z.literal("cancel"), job }),
  z.object({ type: z.literal("close"), job, engine: z.int() }),
]);
export type EngineOrder = z.infer<typeof engineOrder>;

const engineDefaults = z.object({
  ...pixels,
  steps: z.int(),
  guidanceScale: z.number(),
});
export type EngineDefaults = z.infer<typeof engineDefaults>;

const timings = z.object({
  textMs: z.number(),
  networkMs: z.array(z.number()),
  solverMs: z.number(),
  decodeMs: z.number(),
});

const engineAnswer = z.discriminatedUnion("type", [
  /** The first message. Without a device nothing can be opened, and the problem says why. */
  z.object({
    type: z.literal("hello"),
    device: z.object({ name: z.string(), software: z.boolean() }).optional(),
    problem: z.string().optional(),
  }),
  z.object({ type: z.literal("part"), job, part: z.string() }),
  z.object({
    type: z.literal("opened"),
    job,
    engine: z.int(),
    model: z.string(),
    compute: z.string(),
    backend: z.object({ host: z.string(), adapter: z.string() }),
    defaults: engineDefaults,
  }),
  /** Payload: u16[batch, channels, height, width], float16 bits. */
  z.object({ type: z.literal("leaf"), job, kind: z.enum(["s", "m", "k", "x", "d"]), index: size }),
  /** Payload: the previews' RGBA bytes, one after another; no previews without a preview map. */
  z.object({
    type: z.literal("step"),
    job,
    index: size,
    steps: size,
    timestep: z.number(),
    previews: z.array(z.object(pixels)).optional(),
  }),
  /** Payload: u8[height, width, 4]. One an image, before `done`. */
  z.object({ type: z.literal("image"), job, ...pixels }),
  z.object({
    type: z.literal("done"),
    job,
    plan: z.custom<Plan>((value) => typeof value === "object" && value !== null),
    latentDims: z.tuple([size, size, size]),
    timings,
    deviceMemory: z.object({ held: size, peak: size }).optional(),
    notices: z.array(z.string()),
  }),
  /** Payload: u16[steps, channels, height, width], D of each step as float16 bits. */
  z.object({ type: z.literal("predicted"), job }),
  /** Payload: u8[height, width, 4]. */
  z.object({ type: z.literal("decoded"), job, ...pixels }),
  /** Payload: u16[channels, height, width], the latent as float16 bits. */
  z.object({ type: z.literal("encoded"), job }),
  z.object({ type: z.literal("closed"), job }),
  z.object({
    type: z.literal("failed"),
    job,
    code: z.custom<ErrorCode>(isErrorCode),
    message: z.string(),
  }),
  /** The device was lost, and with it every engine. */
  z.object({ type: z.literal("lost"), reason: z.string() }),
]);
export type EngineAnswer = z.infer<typeof engineAnswer>;

export function decodeEngineOrder(message: unknown): EngineOrder {
  return engineOrder.parse(message);
}

export function decodeEngineAnswer(message: unknown): EngineAnswer {
  return engineAnswer.parse(message);
}
