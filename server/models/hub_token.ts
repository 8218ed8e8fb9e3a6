import { readFile } from "node:fs/promises";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The token that huggingface_hub would send: of the environment, or as `hf auth login` wrote it.
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export async function hubToken(env: Environment): Promise<string | undefined> {
  if (/^(?:1|on|yes|true)$/i.test(env.HF_HUB_DISABLE_IMPLICIT_TOKEN ?? "")) return undefined;
  const given = env.HF_TOKEN?.trim() || env.HUGGING_FACE_HUB_TOKEN?.trim();
  if (given) return given;
  const path = env.HF_TOKEN_PATH || join(hubHome(env), "token");
  const saved = await readFile(path, "utf8").catch(() => "");
  return saved.trim() || undefined;
}

/** `HF_HOME`, or `huggingface` in the user's cache. */
function hubHome(env: Environment): string {
  const home = env.HOME || env.USERPROFILE || ".";
  const caches = env.XDG_CACHE_HOME || join(home, ".cache");
  return (env.HF_HOME || join(caches, "huggingface")).replace(/^~(?=\/|$)/, home);
}
