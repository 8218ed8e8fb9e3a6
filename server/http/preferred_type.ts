import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { AppError } from "../../core/error.ts";

const ANY = "*/*";

/**
 * The media type that a caller prefers by the header `accept`.
 * @param types that can be answered; the first is for callers that take anything, or do not say.
 * @throws AppError `not_acceptable` when they take none of these.
 */
export function preferredType<T extends string>(context: Context, types: readonly [T, ...T[]]): T {
  const options = { header: "Accept" as const, supports: [...types], default: ANY };
  const preferred = accepts(context, options);
  const named = types.find((type) => type === preferred);
  if (named !== undefined) return named;
  const takesAny = accepts(context, {
    ...options,
    match: (accepted) => accepted.find(({ type, q }) => type === ANY && q > 0)?.type ?? "",
  });
  if (takesAny === ANY) return types[0];
  const given = context.req.header("accept")?.slice(0, 80);
  const others = types.slice(0, -1).join(", ");
  throw new AppError(
    "not_acceptable",
    `Cannot answer: accept is ${given}, not ${others} or ${types.at(-1)}`,
  );
}
