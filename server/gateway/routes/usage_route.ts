import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import { AppError } from "../../../core/error.ts";
import { PATHS } from "../../../core/protocol/mod.ts";
import { type Route, route } from "../../http/mod.ts";
import type { GatewayParts } from "./take_order.ts";

const usage = z.object({
  key: z.object({ name: z.string(), limits: z.record(z.string(), z.unknown()) }),
  days: z.array(z.object({
    day: z.string().meta({ description: "In UTC" }),
    images: z.int(),
    pixelSteps: z.number().meta({ description: "Pixels times steps, of all images" }),
    failures: z.int(),
  })),
});

/** As JSON Schema. */
export function usageSchema(): unknown {
  return z.toJSONSchema(usage);
}

/** What a key used, for its owner. */
export function usageRoute(
  { keys, store }: Pick<GatewayParts, "keys" | "store">,
  before: readonly MiddlewareHandler[],
): Route {
  return route({
    ...{ method: "get", path: PATHS.usage, auth: "bearer", answer: "Usage", before },
    query: ["since"],
    summary: "What this key used, by days in UTC, the newest first; `since` is a day",
    errors: [400, 401, 403],
    handle: (context) => {
      const { id, name, limits } = keys.admit(context.req.header("authorization"));
      const since = dayOf(context.req.query("since"));
      const days = store.usage.list({ owner: id, since })
        .map(({ day, images, pixelSteps, failures }) => ({ day, images, pixelSteps, failures }));
      return context.json({ key: { name, limits: { ...limits } }, days });
    },
  });
}

/** @throws AppError `invalid_request`. */
function dayOf(text: string | undefined): string | undefined {
  if (text === undefined || /^\d{4}-\d\d-\d\d$/.test(text)) return text;
  throw new AppError(
    "invalid_request",
    `Cannot give the usage: since is ${text.slice(0, 40)}, not a day such as 2027-01-31`,
    { field: "since" },
  );
}
