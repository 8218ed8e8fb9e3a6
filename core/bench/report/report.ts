import { z } from "zod";
import { AppError } from "../../error.ts";

const milliseconds = z.array(z.number()).min(1);

const rowSchema = z.object({
  case: z.string(),
  size: z.object({ side: z.int().positive(), batch: z.int().positive() }),
  /** Latent elements or pixels, of all images together. */
  elements: z.int().positive(),
  contender: z.string(),
  /** Ours and what they are compared with: kernels, and whole loops with `network` calls alone. */
  kind: z.enum(["kernel", "copy kernel", "buffer copy", "cpu", "onnx", "loop", "network"]),
  /** The engine uses this variant on this class of adapter. */
  chosen: z.boolean(),
  /** Bytes that it must at least read and write; not for loops. */
  bytes: z.number().positive().optional(),
  /** SHA-256 of the WGSL, for kernels. */
  wgsl: z.string().optional(),
  /** Runs behind each sample. */
  repeats: z.int().positive(),
  /** Milliseconds of one run by the wall clock, a sample a round, the fence's share included. */
  wallMs: milliseconds,
  /** The same by timestamp queries, where the device has sane ones. */
  gpuMs: milliseconds.optional(),
  /** Largest |a - b| / (1 + |b|) from the CPU reference. */
  error: z.number().optional(),
  /** False where the error is above the case's tolerance. */
  agrees: z.boolean().optional(),
});

const hostSchema = z.object({
  host: z.enum(["native", "chrome", "browser"]),
  adapter: z.string(),
  adapterClass: z.enum(["hardware", "lavapipe", "swiftshader"]),
  /** `Deno 2.9.6`, `Chrome 156.0.1.2`. */
  software: z.string(),
  /** onnxruntime's name and version. */
  runtime: z.string(),
  /** Milliseconds of a fence after an empty submission. */
  fenceMs: z.number(),
  seconds: z.number(),
  rows: z.array(rowSchema),
  /** What could not be measured, and why. */
  problems: z.array(z.string()),
  /** Variants for which there was no time, a line a case and size. */
  leftOut: z.array(z.string()),
});

const reportSchema = z.object({
  format: z.literal("stepwise-bench-1"),
  /** When it started, ISO 8601. */
  time: z.iso.datetime(),
  hosts: z.array(hostSchema),
  /** Hosts that did not run, and why. */
  missing: z.array(z.string()),
});

/** One contender at one size, with its raw samples. */
export type BenchRow = z.infer<typeof rowSchema>;
/** All that was measured on one adapter. */
export type HostReport = z.infer<typeof hostSchema>;
/** A whole run: what `--json` writes and `--compare` reads. */
export type BenchReport = z.infer<typeof reportSchema>;

/** @throws AppError `invalid_request` naming the field that is wrong. */
export function decodeReport(json: unknown): BenchReport {
  return decode(reportSchema, json);
}

/** As {@link decodeReport}, of what a page hands over. */
export function decodeHostReport(json: unknown): HostReport {
  return decode(hostSchema, json);
}

function decode<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new AppError(
    "invalid_request",
    `Cannot read a bench report: ${path.join(".") || "it"} is wrong (${message})`,
  );
}
