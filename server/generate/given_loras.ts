import type { AdapterUse } from "../../core/request/mod.ts";
import { parseLora } from "../compute/mod.ts";

/** LoRAs that were asked for. */
interface GivenLoras {
  /** Each once, in the order in which the model is opened with them. */
  readonly sources: readonly string[];
  /** How a request says so. @param opened the model's adapters, in the order of the sources. */
  readonly uses: (opened: readonly Pick<AdapterUse, "sha256">[] | undefined) => AdapterUse[];
}

/** @param given `<source>[:scale]` each. */
export function givenLoras(given: readonly string[] = []): GivenLoras {
  const parsed = given.map(parseLora);
  const sources = [...new Set(parsed.map(({ source }) => source))];
  return {
    sources,
    uses: (opened = []) =>
      parsed.map(({ source, scale = 1 }) => ({
        sha256: opened[sources.indexOf(source)].sha256,
        scale,
      })),
  };
}
