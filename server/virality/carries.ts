import { type Fingerprint, fingerprintOf, noveltyOf } from "../../core/content/mod.ts";
import { AppError } from "../../core/error.ts";
import { decodeInputImage } from "../../core/image/mod.ts";
import type { Network, PostSeen } from "./network.ts";

/** Pictures of one post that are looked at. */
const MAX_IMAGES = 4;

/** A piece, as far as a post of it has to show it. */
export interface CarriedPiece {
  /** Of its receipt. */
  readonly id: string;
  readonly creator: string;
  /** When its receipt says that it was made, in milliseconds since 1970. */
  readonly madeAt: number;
  readonly fingerprint: Fingerprint;
}

/**
 * By what a post carries a piece: its receipt's id, or the address of a picture that is the piece's.
 * @param known what it was found by before: a picture is not fetched twice.
 * @returns undefined when it carries it not at all.
 */
export async function carriedBy(
  network: Pick<Network, "image">,
  { text, images }: Pick<PostSeen, "text" | "images">,
  piece: Pick<CarriedPiece, "id" | "fingerprint">,
  known?: string,
): Promise<string | undefined> {
  if (text.includes(piece.id)) return piece.id;
  if (known !== undefined && images.includes(known)) return known;
  for (const url of images.slice(0, MAX_IMAGES)) {
    if (await shows(await network.image(url), piece.fingerprint)) return url;
  }
  return undefined;
}

/** Networks scale and compress pictures: the hash and colours tell, not the bytes. */
async function shows(file: Uint8Array<ArrayBuffer>, fingerprint: Fingerprint): Promise<boolean> {
  try {
    const picture = await decodeInputImage(file, "post's picture");
    return noveltyOf(fingerprintOf(picture), [fingerprint]).duplicate;
  } catch (error) {
    // A picture of another kind is none of ours.
    if (error instanceof AppError && error.code === "invalid_request") return false;
    throw error;
  }
}
