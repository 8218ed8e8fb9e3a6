/** Channels, height and width of one image's latent. */
export type LatentDims = readonly [channels: number, height: number, width: number];
