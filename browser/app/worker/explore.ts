import { addressOf, PATHS } from "../../../core/protocol/mod.ts";
import type { OwnServer, Subnet, SubnetMiner } from "../api/mod.ts";
import { fetchJson } from "./fetch_json.ts";
import { pageRoot } from "./page_root.ts";

/** Public data of validators, which is untrusted: what has not the shape is left out. */

type Json = Readonly<Record<string, unknown>>;

const MAX_BYTES = 8 * 2 ** 20;
/** A subnet's neurons. */
const MAX_MINERS = 4096;
const MAX_LETTERS = 500;

/** @returns undefined where the page is a folder of a web server. @throws AppError `opening_withheld`. */
export async function readOwnServer(): Promise<OwnServer | undefined> {
  const answer = await ask(pageRoot(), PATHS.pageReceipts);
  const { kind, jobs } = objectOf(answer.server);
  if (kind !== "miner" && kind !== "validator") return undefined;
  return { kind, jobs: jobs === true, url: pageRoot() };
}

/** @throws AppError `opening_withheld`, also where it is no validator. */
export async function readSubnet(url: string): Promise<Subnet> {
  const info = await ask(url, PATHS.info);
  if (!Array.isArray(info.miners)) throw new Error(`Cannot explore ${url}: it is no validator`);
  const weightOf = weightsIn(info.weights);
  return {
    ...{ url, hotkey: textIn(info.hotkey), version: textIn(info.version) },
    ...{ netuid: numberIn(info.netuid), block: numberIn(info.block) },
    miners: info.miners.slice(0, MAX_MINERS).flatMap((row) => minerIn(objectOf(row), weightOf)),
  };
}

function minerIn(
  { uid, hotkey, url, requestsPerSecond, similarity, checks, served, failed, cheated, why }: Json,
  weightOf: (uid: number) => number | undefined,
): SubnetMiner[] {
  if (typeof uid !== "number" || typeof hotkey !== "string") return [];
  return [{
    ...{ uid, hotkey: textIn(hotkey), url: textIn(url) },
    ...{ imagesPerSecond: numberIn(requestsPerSecond), similarity: numberIn(similarity) },
    ...{ checks: numberIn(checks) ?? 0, served: numberIn(served) ?? 0 },
    ...{ failed: numberIn(failed) ?? 0, cheated: cheated === true },
    why: typeof why === "string" ? textIn(why) : undefined,
    weight: weightOf(uid),
  }];
}

/** Shares of the last weights, by uid. */
function weightsIn(last: unknown): (uid: number) => number | undefined {
  const { uids, weights } = objectOf(last);
  if (!Array.isArray(uids) || !Array.isArray(weights)) return () => undefined;
  const numbers = weights.map((weight) => numberIn(weight) ?? 0);
  const total = numbers.reduce((sum, weight) => sum + weight, 0);
  const shares = new Map(uids.map((uid, k) => [uid, total > 0 ? (numbers[k] ?? 0) / total : 0]));
  return (uid) => shares.get(uid) ?? 0;
}

async function ask(
  from: string,
  path: typeof PATHS.info | typeof PATHS.pageReceipts,
): Promise<Json> {
  const url = addressOf(from, path, {});
  return objectOf(await fetchJson({ whom: "the server", url, maxBytes: MAX_BYTES }));
}

function objectOf(value: unknown): Json {
  return Object(value);
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function textIn(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_LETTERS) : "";
}
