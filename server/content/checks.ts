import { createHmac } from "node:crypto";
import { AppError, type ErrorCode } from "../../core/error.ts";
import { type Hotkey } from "../../core/keys/mod.ts";
import {
  attestationMessage,
  inputOfMiner,
  type MinerAddress,
  minerAddress,
  openingsOfMiner,
  type SignedAttestation,
} from "../../core/protocol/mod.ts";
import {
  chooseSteps,
  type Level,
  openVerifier,
  type Report,
  type Verification,
} from "../../core/verifier/mod.ts";
import { decodeSources, fittedSources, type SourceImages } from "../../core/generation/mod.ts";
import type { KnownModel } from "../../core/model/mod.ts";
import { inputsOf, ofEachInput } from "../../core/request/mod.ts";
import { once } from "./once.ts";
import type { Submission } from "./submission.ts";

/** Milliseconds for each answer of a miner. */
const MINER_MS = 30_000;

export interface ChecksParts {
  /** Where a miner is reached, by its hotkey; undefined for one that is not on the subnet. */
  readonly miner: (hotkey: string) => string | undefined;
  /** By its id. @throws AppError for one that is not known. */
  readonly model: (id: string) => Promise<KnownModel>;
  readonly engine: (model: KnownModel) => ReturnType<Verification["openEngine"]>;
  /** Of pieces that are checked at levels 2 and 3 as well, in [0, 1]. */
  readonly share: number;
  /**
   * What is drawn follows from it and the receipt's id: whoever sends a receipt again gets the same check, and
   * nobody else knows which.
   */
  readonly secret: Uint8Array;
  /** Receipts that failed: they are not checked again. */
  readonly refusals: Refusals;
  /** Signs what was found. */
  readonly checker: Hotkey;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Refusals {
  /** Why a receipt was refused. */
  find(id: string): { readonly code: ErrorCode; readonly message: string } | undefined;
  /** Whether any receipt of a miner was. */
  has(miner: string): boolean;
  add(
    refused: {
      readonly id: string;
      readonly miner: string;
      readonly code: ErrorCode;
      readonly message: string;
    },
  ): void;
}

/** Checks a piece before it is published, and attests to it. */
export type Check = (
  submission: Pick<Submission, "receipt" | "image" | "id">,
  token: string | undefined,
) => Promise<SignedAttestation>;

/**
 * Levels 0 and 1 of each piece, and 2 and 3 of a share and of all of a miner that has failed before. Which
 * steps its miner opens is drawn by {@link ChecksParts.secret}.
 * @returns a check, which throws AppError as the report's code for what is not honest, `invalid_request`
 * for a miner that is not on the subnet.
 */
export function contentChecks(parts: ChecksParts): Check {
  const { refusals, secret, share } = parts;
  const verifierOf = once(openVerifier);
  return async ({ receipt, image, id }, token) => {
    const { miner } = receipt;
    const before = refusals.find(id);
    if (before) throw new AppError(before.code, before.message);
    const url = parts.miner(miner);
    if (url === undefined) {
      throw new AppError(
        "invalid_request",
        `Cannot publish: its miner, ${miner}, is not on the subnet`,
      );
    }
    const deep = shareOf(secret, id) < share || refusals.has(miner);
    const level = deep ? 3 : 1;
    const address = minerAddress(url, MINER_MS, token);
    const report = await reportOf({ receipt, image, id, level, address, parts, verifierOf });
    if (report.verdict === "honest" && report.level >= 1) {
      return await attestedTo(id, report, parts);
    }
    const why = report.reasons.join("; ") || `it could be checked at level ${report.level} alone`;
    const refused = { code: report.code ?? "opening_mismatch", message: `Cannot publish: ${why}` };
    // What was not sent may be sent yet; what was sent stays false.
    const final = report.verdict !== "honest" && refused.code !== "opening_withheld";
    if (final) refusals.add({ id, miner, ...refused });
    throw new AppError(refused.code, refused.message);
  };
}

/** A receipt's place among all, in [0, 1). */
function shareOf(secret: Uint8Array, id: string): number {
  return drawn(secret, `share ${id}`).readUInt32BE() / 2 ** 32;
}

function drawn(secret: Uint8Array, what: string) {
  return createHmac("sha256", secret).update(what).digest();
}

async function reportOf({ receipt, image, id, level, address, parts, verifierOf }: {
  readonly receipt: Submission["receipt"];
  readonly image: Submission["image"];
  readonly id: string;
  readonly level: Level;
  readonly address: MinerAddress;
  readonly parts: ChecksParts;
  readonly verifierOf: typeof openVerifier;
}): Promise<Report> {
  const model = await parts.model(receipt.model.id);
  const verifier = await verifierOf(model);
  const { steps } = chooseSteps(receipt, {
    blockHash: drawn(parts.secret, `steps ${id}`).toString("hex"),
  });
  return await verifier.verify({
    ...{ receipt, level, source: openingsOfMiner(address), drawn: { steps, draw: "private" } },
    image: () => Promise.resolve(image),
    sources: () => sourcesOf(receipt, id, address),
    openEngine: () => parts.engine(model),
  });
}

/** What the run started from, and its control images: the miner's to send. */
async function sourcesOf(
  { request }: Submission["receipt"],
  id: string,
  address: MinerAddress,
): Promise<SourceImages | undefined> {
  const files = await ofEachInput(
    inputsOf(request),
    ({ sha256 }) => inputOfMiner(address, id, sha256),
  );
  return fittedSources(await decodeSources(request, files), request);
}

async function attestedTo(
  id: string,
  { level, opened, similarity, worst }: Report,
  { checker, now }: ChecksParts,
): Promise<SignedAttestation> {
  const attestation = {
    ...{ version: 1 as const, receipt: id, verdict: "honest" as const, level },
    steps: [...opened],
    ...similarity === undefined ? {} : { similarity: Math.min(similarity, 1) },
    ...worst === undefined ? {} : { worst },
    ...{ at: now(), checker: checker.address },
  };
  const signature = await checker.sign(attestationMessage(attestation));
  return { attestation, signature: `0x${signature.toHex()}` };
}
