import { signal } from "@preact/signals";
import { checkMinerUrl, parametersOf, type Subnet } from "../api/mod.ts";
import { answered, attempt, engine, ownServer, problem } from "../state/mod.ts";

/** The subnet that is looked at. */
export const subnet = signal<Subnet | undefined>(undefined);
/** Whether it is on its way. */
export const exploring = signal(false);

/** The validator that the address names, or else the one whose page this is. */
async function exploredUrl(): Promise<string | undefined> {
  const named = parametersOf(location.hash).get("validator");
  if (named) return checkMinerUrl(named, location.href);
  const server = await ownServer();
  return server?.kind === "validator" ? server.url : undefined;
}

/** Looks at the subnet, as the address says. */
export function explore(): Promise<void> {
  return attempt("explore", async () => {
    problem.value = undefined;
    exploring.value = true;
    try {
      const url = await exploredUrl();
      if (subnet.value?.url !== url) subnet.value = undefined;
      if (url !== undefined) subnet.value = await answered(engine.readSubnet(url));
    } finally {
      exploring.value = false;
    }
  });
}
