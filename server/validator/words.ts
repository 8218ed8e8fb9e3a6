import type { Random } from "./selection.ts";

const COLOURS = [
  "red",
  "green",
  "blue",
  "golden",
  "purple",
  "orange",
  "white",
  "turquoise",
  "pink",
];
const THINGS = [
  ...["tau symbol", "lighthouse", "fox", "sailing ship", "teapot", "bicycle", "castle", "owl"],
  ...["steam engine", "violin", "glass of water", "cactus", "robot", "lantern", "whale", "bridge"],
];
const PLACES = [
  ...["on a white background", "in a night sky with stars", "in front of mountains"],
  ...["on a dark wall", "at sunset", "in the rain", "under water", "in a library", "on the moon"],
];
const STYLES = [
  ...["oil painting", "watercolour", "pencil sketch", "photograph", "pixel art", "woodcut"],
  ...["stained glass", "neon sign", "paper cut-out", "3d render"],
];

/** A prompt of the word list, which gives some ten thousand. */
export function promptOfWords(random: Random): string {
  const one = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  const colour = one(COLOURS);
  const article = /^[aeiou]/.test(colour) ? "an" : "a";
  return `${article} ${colour} ${one(THINGS)} ${one(PLACES)}, ${one(STYLES)}`;
}
