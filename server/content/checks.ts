import { AppError } from "../../core/error.ts";
import { type Hotkey } from "../../core/keys/mod.ts";
import {
  attestationMessage,
  minerAddress,
  openingsOfMiner,
  type SignedAttestation,
} from "../../core/protocol/mod.ts";
import {
  chooseSteps,
  type Level,
  type OpeningSource,
  openVerifier,
  type Report,
  type Verification,
} from "../../core/verifier/mod.ts";
import type { KnownModel } from "../../core/model/mod.ts";
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
  /** Below 1. */
  readonly random: () => number;
  /** Signs what was found. */
  readonly checker: Hotkey;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Checks a piece before it is published, and attests to it. */
export type Check = (
  submission: Pick<Submission, "receipt" | "image" | "id">,
  token: string | undefined,
) => Promise<SignedAttestation>;

/**
 * Levels 0 and 1 of each piece, and of a share also 2 and 3: the miner opens steps that are drawn once the
 * receipt is here. Where a request names control images, which are not at hand, level 1 is the last.
 * @returns a check, which throws AppError as the report's code for what is not honest, `invalid_request`
 * for a miner that is not on the subnet.
 */
export function contentChecks(parts: ChecksParts): Check {
  return async ({ receipt, image, id }, token) => {
    const url = parts.miner(receipt.miner);
    if (url === undefined) {
      const why = `its miner, ${receipt.miner}, is not on the subnet`;
      throw new AppError("invalid_request", `Cannot publish: ${why}`);
    }
    const deep = parts.random() < parts.share && !receipt.request.control?.length;
    const report = await reportOf({
      ...{ receipt, image, level: deep ? 3 : 1, parts },
      source: openingsOfMiner(minerAddress(url, MINER_MS, token)),
    });
    if (report.verdict !== "honest" || report.level < 1) {
      const why = report.reasons.join("; ") || `it could be checked at level ${report.level} alone`;
      throw new AppError(report.code ?? "opening_mismatch", `Cannot publish: ${why}`);
    }
    return await attestedTo(id, report, parts);
  };
}

async function reportOf({ receipt, image, level, source, parts }: {
  readonly receipt: Submission["receipt"];
  readonly image: Submission["image"];
  readonly level: Level;
  readonly source: OpeningSource;
  readonly parts: ChecksParts;
}): Promise<Report> {
  const model = await parts.model(receipt.model.id);
  const verifier = await openVerifier(model);
  return await verifier.verify({
    ...{ receipt, level, source, drawn: chooseSteps(receipt, {}) },
    image: () => Promise.resolve(image),
    openEngine: () => parts.engine(model),
  });
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
