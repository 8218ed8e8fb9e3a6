/** The thread of {@link CallPictures}: works on pictures, one order at a time. */
import { parentPort } from "node:worker_threads";
import { AppError, reason } from "../../../core/error.ts";
import type { ErrorCode } from "../../../core/error_codes.ts";
import { type PictureWork, pictureWork } from "./picture_work.ts";

/** One of the works, with what it works on. */
export type PictureOrder = {
  [Name in keyof PictureWork]: {
    readonly name: Name;
    readonly order: Parameters<PictureWork[Name]>[0];
  };
}[keyof PictureWork];

export type PictureAnswer =
  | { readonly done: unknown }
  | { readonly code: ErrorCode; readonly message: string; readonly field?: string };

parentPort?.on("message", async (order: PictureOrder) => {
  parentPort?.postMessage(await carryOut(order));
});

async function carryOut({ name, order }: PictureOrder): Promise<PictureAnswer> {
  try {
    const work = pictureWork[name] as (order: unknown) => Promise<unknown>;
    return { done: await work(order) };
  } catch (error) {
    const { code, field } = error instanceof AppError
      ? error
      : { code: "encoding_failed" as const };
    return { code, message: reason(error), field };
  }
}
