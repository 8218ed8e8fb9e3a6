import type { Context, MiddlewareHandler } from "hono";
import { AppError } from "../../../core/error.ts";
import { PATHS } from "../../../core/protocol/mod.ts";
import { completeRequest, decodeDraft, inputsOf, randomSeed } from "../../../core/request/mod.ts";
import { sizeOfSource } from "../../sources/mod.ts";
import { EVENT_STREAM, type Route, route } from "../../http/mod.ts";
import { shapesOf } from "../files/mod.ts";
import type { ApiKey } from "../store/mod.ts";
import { decodeJobCall, type JobCall, MAX_IMAGES, readCallBody } from "./job_call.ts";
import { eventsOf } from "./job_events.ts";
import { jobJson, type JobView } from "./job_json.ts";
import { decodeListing, nextOf } from "./listing.ts";
import { type CallOrder, type GatewayParts, takeOrder } from "./take_order.ts";
import { imagesOfBatch } from "../store/mod.ts";
import { Links } from "./links.ts";
import { onceOf } from "./once.ts";

/** Jobs over HTTP. @param before what every request passes first, such as CORS. */
export function jobsRoutes(
  parts: GatewayParts,
  before: readonly MiddlewareHandler[],
): Route[] {
  const { jobs, keys, store } = parts;
  const links = new Links(store.secret, store.now);
  const view: JobView = { jobs, links };
  const ownerOf = ({ req }: Context) => keys.admit(req.header("authorization")).id;
  const common = { auth: "bearer" as const, before };
  return [
    route({
      ...{ ...common, method: "post", path: PATHS.jobs, body: "JobCall", answer: "Job" },
      summary: "Ask for up to 10 images (the request's batch); answers at once. With the header " +
        "Idempotency-Key a repeated call is the same job. Files: data URLs, or multipart/form-data. " +
        "With upscale and refine each image is enlarged and drawn anew, and counts as two",
      ...{ status: 202, errors: [400, 401, 403, 408, 409, 413, 429] },
      handle: async (context) => {
        const owner = keys.admit(context.req.header("authorization"));
        const { raw } = context.req;
        using _ = parts.bodies.take(owner.id, raw.headers.get("content-length"));
        const body = await readCallBody(raw);
        const call = await decodeJobCall(body, raw.headers.get("content-type") ?? "");
        const once = onceOf(context.req.header("idempotency-key"), {
          ...{ request: call.request, format: call.format, webhook: call.webhook },
          refinement: call.refinement,
        });
        const job = await takeOrder(parts, { ...orderOf(call, owner, parts), once });
        return context.json(jobJson(job, view), 202, { location: `${PATHS.jobs}/${job.id}` });
      },
    }),
    route({
      ...{ ...common, method: "get", path: PATHS.jobs, answer: "Jobs", errors: [400, 401, 403] },
      query: ["state", "limit", "before"],
      summary: "The key's jobs, the newest first; `next` is the next page's `before`",
      handle: (context) => {
        const listing = decodeListing(context.req.query());
        const listed = jobs.list(ownerOf(context), listing);
        const json = listed.map((job) => jobJson(job, view));
        return context.json({ jobs: json, next: nextOf(listed, listing) });
      },
    }),
    route({
      ...{ ...common, method: "get", path: PATHS.job, answer: "Job", errors: [401, 403, 404] },
      summary: "A job as it is now, with its receipts",
      handle: (context) => {
        const job = jobs.get(ownerOf(context), context.req.param("id"));
        return context.json(jobJson(job, view, { full: true }));
      },
    }),
    route({
      ...{ ...common, method: "delete", path: PATHS.job, answer: "Job", errors: [401, 403, 404] },
      summary: "Cancel what has not ended; a job that has ended stays as it is",
      handle: (context) => {
        const job = jobs.cancel(ownerOf(context), context.req.param("id"));
        return context.json(jobJson(job, view));
      },
    }),
    route({
      ...{ ...common, method: "get", path: PATHS.jobEvents, answer: [EVENT_STREAM] },
      summary:
        "A job's events: queued, progress, image, and in the end done, failed or cancelled; " +
        "resumed by the header Last-Event-ID",
      errors: [401, 403, 404],
      handle: (context) => {
        const at = Number(context.req.header("last-event-id") ?? 0);
        const id = context.req.param("id");
        const watcher = jobs.watch(ownerOf(context), id, Number.isInteger(at) ? at : 0);
        return eventsOf(context, watcher, view);
      },
    }),
    route({
      ...{ ...common, method: "get", path: PATHS.jobImage },
      answer: ["image/png", "image/jpeg", "image/webp"],
      query: ["expires", "signature"],
      summary: "An image of a job: with its key, or by the link that the job has",
      errors: [401, 403, 404],
      handle: async (context) => {
        const { id, n } = context.req.param();
        const { expires, signature } = context.req.query();
        const job = signature === undefined ? jobs.get(ownerOf(context), id) : undefined;
        if (!job) links.check(id, Number(n), expires ?? "", signature);
        const found = job ?? jobs.signed(id);
        const bytes = await jobs.image(found, Number(n));
        return context.body(bytes, 200, { "content-type": `image/${found.format}` });
      },
    }),
  ];
}

/** @throws AppError `invalid_request`. */
function orderOf(
  { request, format, webhook, inputs, refinement }: JobCall,
  owner: ApiKey,
  { model: { defaults }, jobs, pictures }: GatewayParts,
): CallOrder {
  const draft = decodeDraft(request, { seed: randomSeed() });
  if (draft.batch > MAX_IMAGES) {
    throw new AppError(
      "invalid_request",
      `Cannot take the job: batch is ${draft.batch}, and a job has at most ${MAX_IMAGES} images`,
      { field: "batch" },
    );
  }
  const requests = imagesOfBatch(completeRequest(draft, defaults));
  const ready = async () => {
    const files = await jobs.inputsOf({ owner, requests: [draft], inputs });
    const shapes = await shapesOf(owner.id, draft, files, pictures);
    const sized = { ...draft, ...sizeOfSource(shapes, draft, defaults) };
    return { requests: imagesOfBatch(completeRequest(sized, defaults)), inputs: files };
  };
  const order = { owner, format, webhook, requests, refinement };
  return inputsOf(draft).length === 0 ? order : { ...order, ready };
}
