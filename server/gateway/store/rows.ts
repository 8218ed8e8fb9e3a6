import type { ImageFormat } from "../../../core/image/mod.ts";
import { decodeRequest, type RequestDefaults } from "../../../core/request/mod.ts";
import type { SqlRow } from "../../storage/mod.ts";
import type { Failure, Job, JobImage, JobState, MadeRecord } from "./job.ts";

/** What was written here is complete: nothing stands in for it. */
const COMPLETE: RequestDefaults = { width: 8, height: 8, steps: 1, guidanceScale: 1, seed: 0n };

export function jobOf(row: SqlRow, images: readonly JobImage[], refined: SqlRow | undefined): Job {
  return {
    ...{ id: String(row.id), number: Number(row.number), owner: String(row.owner) },
    ...{ state: row.state as JobState, format: row.format as ImageFormat, images },
    ...{ created: Number(row.created), started: numberOf(row.started) },
    ...{ ended: numberOf(row.ended), failure: failureOf(row), webhook: textOf(row.webhook) },
    refinement: refined && { upscale: Number(refined.upscale), refine: Number(refined.refine) },
  };
}

export function imageOf(row: SqlRow): JobImage {
  const record = textOf(row.record);
  return {
    ...{ n: Number(row.n), state: row.state as JobState, failure: failureOf(row) },
    request: decodeRequest(JSON.parse(String(row.request)), COMPLETE),
    record: record === undefined ? undefined : JSON.parse(record) as MadeRecord,
    ...{ sha256: textOf(row.sha256), seq: numberOf(row.seq) },
  };
}

function failureOf({ code, error }: SqlRow): Failure | undefined {
  return code === null ? undefined : { code: String(code), message: String(error) };
}

export function numberOf(value: SqlRow[string]): number | undefined {
  return value === null ? undefined : Number(value);
}

export function textOf(value: SqlRow[string]): string | undefined {
  return value === null ? undefined : String(value);
}
