import { Option } from "commander";
import { NSFW_POLICIES } from "./policy.ts";

/** What is done about prompts and images that are not for everybody. */
export function nsfwOption(): Option {
  return new Option(
    "--nsfw <policy>",
    "on nakedness and sex in prompts and images: flag says so with the image, block refuses",
  ).choices(NSFW_POLICIES).default("off");
}
