/** Pixels a side for each position of a latent, with every model that is taken here. */
export const LATENT_SCALE = 8;
