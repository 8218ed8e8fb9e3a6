/** Pictures that calls bring: looked at, enlarged and masked in a thread of their own. */
export { CallPictures } from "./call_pictures.ts";
export type { Fill } from "./painted.ts";
export { type PictureWork, pictureWork, type Size } from "./picture_work.ts";
export { shapesOf } from "./shapes.ts";
