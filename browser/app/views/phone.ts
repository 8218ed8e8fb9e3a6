/** There the image, the button that acts and the progress come first, and the rest is folded. */
export const PHONE = matchMedia("(max-width: 30rem)");
