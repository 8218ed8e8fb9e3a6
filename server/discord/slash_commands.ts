import { MAX_PROMPT } from "./messages.ts";

/** Types of options. @see https://discord.com/developers/docs/interactions/application-commands */
const [STRING, INTEGER, NUMBER, ATTACHMENT] = [3, 4, 10, 11];
const CHAT_INPUT = 1;

const prompt = {
  ...{ type: STRING, name: "prompt", description: "What it is to show", required: true },
  ...{ min_length: 1, max_length: MAX_PROMPT },
};
const shared = [
  { type: STRING, name: "negative", description: "What it is not to show", max_length: MAX_PROMPT },
  { type: INTEGER, name: "steps", description: "Steps", min_value: 1, max_value: 1000 },
  {
    type: NUMBER,
    name: "guidance",
    description: "How closely the prompt is followed",
    min_value: 0,
  },
  { type: STRING, name: "seed", description: "A number that it can be made again by" },
];
const sides = ["width", "height"].map((name) => ({
  ...{
    type: INTEGER,
    name,
    description: "Pixels, a multiple of 8",
    min_value: 64,
    max_value: 2048,
  },
}));
const file = (name: string, description: string, required: boolean) => ({
  ...{ type: ATTACHMENT, name, description, required },
});
const strength = {
  ...{ type: NUMBER, name: "strength", description: "How much changes, 0.1 to 1" },
  ...{ min_value: 0.01, max_value: 1 },
};

/** What people can type, as Discord is told of it. */
export const SLASH_COMMANDS = [
  {
    ...{ type: CHAT_INPUT, name: "create", description: "Make an image, with a receipt" },
    options: [prompt, ...shared, ...sides],
  },
  {
    ...{ type: CHAT_INPUT, name: "remix", description: "Make an image out of another" },
    options: [file("image", "The image to start from", true), prompt, ...shared, strength],
  },
  {
    ...{ type: CHAT_INPUT, name: "verify", description: "Check a receipt, and the image with it" },
    options: [file("receipt", "The receipt's file", true), file("image", "Its image", false)],
  },
  { type: CHAT_INPUT, name: "top", description: "Published pictures that people pass on" },
] as const;
