import { AppError } from "../../../core/error.ts";
import { errorFacts } from "../../../core/error_codes.ts";
import { RetryLater } from "../../http/mod.ts";

/** What FastAPI says of a body's field. */
export interface FieldProblem {
  readonly loc: readonly string[];
  readonly msg: string;
  readonly type: string;
}

/** A refusal in AUTOMATIC1111's words. */
export class A1111Error extends Error {
  constructor(
    readonly status: number,
    readonly detail: string | readonly FieldProblem[],
  ) {
    super(typeof detail === "string" ? detail : detail[0]?.msg);
  }
}

/** One field that is refused. */
export function refuseField(field: string, msg: string): never {
  throw new A1111Error(422, [{ loc: ["body", field], msg, type: "value_error" }]);
}

/** An error as AUTOMATIC1111 answers it; of our own mistakes callers learn only that there was one. */
export function a1111Response(error: unknown, failed: (error: unknown) => void): Response {
  if (error instanceof A1111Error) {
    const { status, detail } = error;
    const body = Array.isArray(detail)
      ? { detail }
      : { error: "HTTPException", detail, body: "", errors: "" };
    return Response.json(body, { status, headers: challenge(status) });
  }
  const known = error instanceof AppError ? error : undefined;
  const status = known ? errorFacts(known.code).status : 500;
  if (status === 500) failed(error);
  const headers = challenge(status);
  if (error instanceof RetryLater) headers.set("retry-after", String(Math.ceil(error.seconds)));
  const errors = known?.message ?? "Cannot answer: something is wrong here";
  return Response.json(
    { error: known?.code ?? "internal", detail: errors, body: "", errors },
    { status, headers },
  );
}

function challenge(status: number): Headers {
  return new Headers(status === 401 ? { "www-authenticate": "Basic" } : {});
}
