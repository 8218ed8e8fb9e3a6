/** A batch of square images. */
export interface BenchSize {
  /** Pixels of a side: a multiple of 8. */
  readonly side: number;
  readonly batch: number;
}

/**
 * What a case counts: elements of latents [4, side / 8, side / 8], pixels of a batch, or pixels of
 * one image.
 */
export type BenchUnit = "latent" | "pixel" | "image";

const size = (side: number, batch = 1): BenchSize => ({ side, batch });

/** 1024 x 16 has the 1,048,576 elements at which bandwidth is judged. */
const FULL: Readonly<Record<BenchUnit, readonly BenchSize[]>> = {
  latent: [
    size(64),
    size(512),
    size(512, 4),
    size(1024),
    size(1024, 8),
    size(1536),
    size(1536, 8),
    size(1024, 16),
  ],
  pixel: [size(64), size(512), size(512, 4), size(1024), size(1536)],
  image: [size(64), size(512), size(1024), size(1536)],
};

const QUICK: Readonly<Record<BenchUnit, readonly BenchSize[]>> = {
  latent: [size(64), size(512)],
  pixel: [size(64), size(256)],
  image: [size(64), size(256)],
};

/** @param quick few and small ones, enough to see that it works. */
export function benchSizes(unit: BenchUnit, quick: boolean): readonly BenchSize[] {
  return (quick ? QUICK : FULL)[unit];
}

/** Elements or pixels of one image. */
export function itemsOf(unit: BenchUnit, { side }: BenchSize): number {
  return unit === "latent" ? side * side / 16 : side * side;
}

/** `512x512 x 4`, the batch only where there is one. */
export function sizeName({ side, batch }: BenchSize): string {
  return batch === 1 ? `${side}x${side}` : `${side}x${side} x ${batch}`;
}
