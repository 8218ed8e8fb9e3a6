import { ANIMALS, ARTIFACTS, FOODS, PLANTS } from "./nouns.ts";
import * as phrases from "./phrases.ts";

/** What a form may have in a place. */
export const LISTS = {
  being: [...new Set([...ANIMALS, ...phrases.PEOPLE])],
  thing: [...new Set([...ARTIFACTS, ...FOODS, ...PLANTS])],
  person: phrases.PEOPLE,
  pair: phrases.PAIRS,
  manner: phrases.MANNERS,
  state: phrases.STATES,
  colour: phrases.COLOURS,
  material: phrases.MATERIALS,
  doing: phrases.DOINGS,
  together: phrases.TOGETHER,
  place: phrases.PLACES,
  scene: phrases.SCENES,
  time: phrases.TIMES,
  medium: phrases.MEDIA,
  style: phrases.STYLES,
  light: phrases.LIGHTS,
  view: phrases.VIEWS,
  mood: phrases.MOODS,
  without: phrases.WITHOUT,
  ground: phrases.GROUNDS,
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type ListName = keyof typeof LISTS;

/**
 * The forms of a prompt: words, `<list>`, and `a` before a list for "a" or "an". Entries are numbered
 * form by form, so this order is part of every number.
 */
export const FORMS: readonly string[] = [
  "a <manner> <being> <doing>, <style>, <light>",
  "a <manner> <being> <doing> <place>",
  "<manner> <being> <place>, <style>",
  "<medium> of a <manner> <being> <place>",
  "<manner> <being>, <light>, <view>, <mood>",
  "portrait of a <manner> <person>, <light>, <view>, <mood>",
  "<manner> <being>, <style>, <light>",
  "a <being> and a <being> <together> <place>",
  "<pair> <together> <place>, <style>",
  "<person> <doing> <place>, <style>",
  "a <being> <doing> <place>, <mood>, <without>",
  "<manner> <being> <doing>, <without>",
  "the <thing> of a <manner> <person> <place>, <light>",
  "<state> <thing> made of <material>, <light>, <view>",
  "a <state> <thing> <place>, <light>",
  "<state> <thing>, <style>, <mood>",
  "<colour> <thing>, <style>, <ground>, <mood>",
  "<thing> and a <thing> <place>, <light>",
  "a <colour> <thing> <place>, <style>",
  "<medium> of a <state> <thing>, <colour> and <colour>",
  "<colour> <thing> through the window of the <scene>, <mood>",
  "<scene> in the <time>, <light>, <style>, <mood>",
  "<scene>, <light>, <style>",
  "<medium> of a <scene>, <light>, <mood>",
  "the <state> <scene> with a <thing>, <style>",
  "a <person> in front of the <scene>, <style>, <light>",
  "<state> <thing> <place>",
  "<manner> <being> <place>",
  "<being> <doing> <place>",
  "<being> on the <thing> at night, <style>",
  "a <being> with a <thing> <place>, <mood>",
  "logo with <colour> <thing>, <mood>",
  "<manner> <person> with a <colour> <thing>, <style>",
];
