import { AppError } from "../../../core/error.ts";
import { addressOf, type CallBody, callBody, PATHS } from "../../../core/protocol/mod.ts";
import type { GatewayAccess, JobOrder, KeyFacts } from "../api/mod.ts";
import { fetchJson, type Json, objectOf } from "./fetch_json.ts";

/** A validator's jobs, for a user with a key. Its answers are untrusted. */

const WHOM = "the validator";
/** A job's receipts. */
const MAX_JSON = 4 * 2 ** 20;

/** Whose the key is. @throws AppError `opening_withheld`, with the validator's words. */
export async function readKey(access: GatewayAccess): Promise<KeyFacts> {
  const { key, days } = await ask(access, addressOf(access.url, PATHS.usage, {}));
  const { name, limits } = objectOf(key);
  const today = new Date().toISOString().slice(0, 10);
  const used = Array.isArray(days) ? days.map(objectOf).find(({ day }) => day === today) : {};
  const { imagesPerDay } = objectOf(limits);
  return {
    name: String(name ?? "").slice(0, 100),
    today: Number(used?.images ?? 0),
    imagesPerDay: typeof imagesPerDay === "number" ? imagesPerDay : undefined,
  };
}

/** @returns the job's id. @param once the same for each try of one order. */
export async function submitJob(
  access: GatewayAccess,
  order: JobOrder,
  count: number,
  once: string,
): Promise<string> {
  const { bytes: body, type } = await bodyOf(order, count);
  const headers = { "content-type": type, "idempotency-key": once };
  const { id } = await ask(access, addressOf(access.url, PATHS.jobs, {}), {
    ...{ method: "POST", headers, body },
  });
  if (typeof id === "string" && id.length <= 100) return id;
  throw new AppError("opening_withheld", "Cannot make it: the validator gave the job no id");
}

async function bodyOf(order: JobOrder, count: number): Promise<CallBody> {
  const { prompt, negativePrompt, seed, steps, guidanceScale, size, source, control } = order;
  const asked = { prompt, negativePrompt, seed, steps, guidanceScale, batch: count };
  if (!source && !control) return callBody({ request: { ...asked, width: size, height: size } });
  const { ownInputs } = await import("./own_inputs.ts");
  const inputs = await ownInputs(order);
  return callBody({ request: { ...asked, ...inputs.size, ...inputs.named } }, inputs.bytes);
}

export async function cancelJob(access: GatewayAccess, id: string): Promise<void> {
  await ask(access, addressOf(access.url, PATHS.job, { id }), { method: "DELETE" });
}

/** @throws AppError `opening_withheld`. */
export async function ask(
  { key }: GatewayAccess,
  url: URL,
  { headers, ...init }: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: BodyInit;
  } = {},
): Promise<Json> {
  const authorization = { authorization: `Bearer ${key}`, ...headers };
  return objectOf(
    await fetchJson({
      ...{ whom: WHOM, url, maxBytes: MAX_JSON },
      init: { ...init, headers: authorization },
    }),
  );
}
