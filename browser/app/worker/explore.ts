import { readAtMost } from "../../../core/bounded_body.ts";
import { addressOf, PATHS } from "../../../core/protocol/mod.ts";
import type {
  OwnServer,
  Subnet,
  SubnetHour,
  SubnetMiner,
  SubnetPiece,
  SubnetWeights,
} from "../api/mod.ts";
import { fetchJson, type Json, objectOf } from "./fetch_json.ts";
import { pageRoot } from "./page_root.ts";
import { readAttestations } from "./validator.ts";

/** Public data of validators, which is untrusted: what has not the shape is left out. */

const MAX_BYTES = 8 * 2 ** 20;
/** A subnet's neurons. */
const MAX_MINERS = 4096;
const MAX_LETTERS = 500;
/** Of a history, and pictures of a feed. */
const MAX_ROWS = 100;
const MAX_PIECES = 12;
/** Milliseconds for a piece's image: one that does not come is left out. */
const PIECE_MS = 10_000;

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
  const [history, attestations, pieces] = await Promise.all([
    // Older validators have none.
    ask(url, PATHS.history).catch(() => ({} as Json)),
    readAttestations(url).catch(() => []),
    readPieces(url).catch(() => []),
  ]);
  const last = weightsIn(objectOf(info.weights));
  const { miners, hotkey, version, netuid, block } = info;
  return {
    ...{ url, hotkey: textIn(hotkey), version: textIn(version) },
    ...{ netuid: numberIn(netuid), block: numberIn(block), attestations, pieces },
    miners: listIn(miners, MAX_MINERS).flatMap((row) => minerIn(row, last)),
    weights: listIn(history.weights, MAX_ROWS).flatMap((row) => weightsIn(row) ?? []),
    hours: listIn(history.hours, MAX_ROWS).map(hourIn),
  };
}

function minerIn(row: Json, last: SubnetWeights | undefined): SubnetMiner[] {
  const { uid, hotkey, url, requestsPerSecond, similarity, checks, served, failed } = row;
  if (typeof uid !== "number" || typeof hotkey !== "string") return [];
  return [{
    ...{ uid, hotkey: textIn(hotkey), url: textIn(url) },
    ...{ imagesPerSecond: numberIn(requestsPerSecond), similarity: numberIn(similarity) },
    ...{ checks: numberIn(checks) ?? 0, served: numberIn(served) ?? 0 },
    ...{ failed: numberIn(failed) ?? 0, cheated: row.cheated === true },
    why: typeof row.why === "string" ? textIn(row.why) : undefined,
    ...{ incentive: numberIn(row.incentive), weight: last && (last.shares.get(uid) ?? 0) },
  }];
}

/** As shares of their sum. */
function weightsIn({ uids, weights, at }: Json): SubnetWeights | undefined {
  if (!Array.isArray(uids) || !Array.isArray(weights)) return undefined;
  const numbers = weights.slice(0, MAX_MINERS).map((weight) => numberIn(weight) ?? 0);
  const total = numbers.reduce((sum, weight) => sum + weight, 0) || 1;
  const shares = numbers.map((weight, k) => [Number(uids[k]), weight / total] as const);
  return { at: numberIn(at) ?? 0, shares: new Map(shares) };
}

function hourIn({ at, images, checks, failedChecks, similarity }: Json): SubnetHour {
  return {
    ...{ at: numberIn(at) ?? 0, images: numberIn(images) ?? 0, checks: numberIn(checks) ?? 0 },
    ...{ failedChecks: numberIn(failedChecks) ?? 0, similarity: numberIn(similarity) },
  };
}

/** The newest, with their images: a few. */
async function readPieces(url: string): Promise<SubnetPiece[]> {
  const address = new URL("v1/content", url);
  const answer = objectOf(
    await fetchJson({ whom: "the server", url: address, maxBytes: MAX_BYTES }),
  );
  const pieces = listIn(answer.pieces, MAX_PIECES).map(async ({ id, caption, creator, at }) => {
    const image = new URL(`v1/content/${encodeURIComponent(textIn(id))}/image`, url);
    const response = await fetch(image, {
      ...{ redirect: "error", credentials: "omit", signal: AbortSignal.timeout(PIECE_MS) },
    });
    const bytes = response.ok ? await readAtMost(response, MAX_BYTES) : undefined;
    if (!bytes) return [];
    const shown = { id: textIn(id), caption: textIn(caption), creator: textIn(creator) };
    return [{ ...shown, at: numberIn(at) ?? 0, image: new Blob([bytes]) }];
  });
  return (await Promise.all(pieces.map((piece) => piece.catch(() => [])))).flat();
}

function listIn(value: unknown, most: number): Json[] {
  return Array.isArray(value) ? value.slice(0, most).map(objectOf) : [];
}

async function ask(
  from: string,
  path: typeof PATHS.info | typeof PATHS.history | typeof PATHS.pageReceipts,
): Promise<Json> {
  const url = addressOf(from, path, {});
  return objectOf(await fetchJson({ whom: "the server", url, maxBytes: MAX_BYTES }));
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function textIn(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_LETTERS) : "";
}
