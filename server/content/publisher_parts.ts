import { AppError } from "../../core/error.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import type { KnownModel } from "../../core/model/mod.ts";
import {
  axonUrl,
  chainOptions,
  isLocalChain,
  type Metagraph,
  openWallet,
  SubnetWatch,
  SubtensorClient,
  walletPlace,
} from "../chain/mod.ts";
import { numberFlag } from "../cli/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { gatewayFile, GatewayStore, hashOfKey } from "../gateway/mod.ts";
import { knownEntry, openKnownModel } from "../models/mod.ts";
import { checkSecret } from "./check_secret.ts";
import { type Check, contentChecks, type Refusals } from "./checks.ts";
import { once } from "./once.ts";
import { pinningService } from "./pinning.ts";
import { type PublisherParts } from "./publisher.ts";
import type { ServeFlags } from "./flags.ts";

/** What of a publisher needs the wallet's hotkey, or the chain. */
export async function chainParts(
  flags: ServeFlags,
  refusals: Refusals,
  stack: AsyncDisposableStack,
): Promise<Pick<PublisherParts, "operator" | "commit" | "check">> {
  if (!flags.commit && flags.check === undefined && flags["api.storage"] === undefined) return {};
  const { pair, hotkey: operator } = await openWallet(walletPlace(flags));
  if (!flags.commit && flags.check === undefined) return { operator };
  const client = stack.use(await SubtensorClient.connect(chainOptions(flags)));
  const commit = flags.commit
    ? (root: Uint8Array<ArrayBuffer>) => client.setCommitment(root, pair)
    : undefined;
  if (flags.check === undefined) return { operator, commit };
  const share = numberFlag("--check", flags.check, 0, 1);
  return {
    operator,
    commit,
    check: await checksOf({ flags, share, client, operator, refusals }, stack),
  };
}

/** Models and engines are opened once each: only those of the catalogue are. */
async function checksOf(
  { flags, share, client, operator, refusals }: {
    readonly flags: ServeFlags;
    readonly share: number;
    readonly client: SubtensorClient;
    readonly operator: Hotkey;
    readonly refusals: Refusals;
  },
  stack: AsyncDisposableStack,
): Promise<Check> {
  const subnet = stack.use(await SubnetWatch.open(client, () => {}));
  const host = stack.use(await openCompute(parseComputeKind(flags.compute)));
  const local = isLocalChain(client.chainType);
  return contentChecks({
    ...{ share, refusals, checker: operator, now: Date.now },
    secret: await checkSecret(flags.storage),
    miner: (hotkey) => axonOf(subnet.metagraph, hotkey, local),
    model: once((id) => openKnownModel(modelOf(id))),
    engine: once(async ({ files }: KnownModel) => stack.use(await host.open(files))),
  });
}

function modelOf(id: string): string {
  const known = knownEntry(id)?.id;
  if (known !== undefined) return known;
  const why = `the receipt's model, ${id}, is not in the catalogue`;
  throw new AppError("invalid_request", `Cannot publish: ${why}`);
}

function axonOf({ neurons }: Metagraph, hotkey: string, local: boolean): string | undefined {
  const { axon } = neurons.find((neuron) => neuron.hotkey === hotkey) ?? {};
  return axon && axonUrl(axon, local);
}

export function pinningOf(flags: ServeFlags): Pick<PublisherParts, "pinning"> {
  const { "pin.url": url, "pin.token": token } = flags;
  if (url === undefined) return {};
  if (token) return { pinning: pinningService({ url, token }) };
  throw new AppError("invalid_request", "Cannot use --pin.url: --pin.token is missing");
}

/** Users by a validator's API keys: who has one is known by the key's id. */
export function usersOf(flags: ServeFlags, stack: AsyncDisposableStack) {
  const folder = flags["api.storage"];
  if (folder === undefined) return undefined;
  const store = stack.use(new GatewayStore(gatewayFile(folder)));
  return (authorization: string | undefined) => {
    if (authorization === undefined) return undefined;
    const key = store.keys.ofHash(hashOfKey(authorization.replace(/^Bearer\s+/i, "")));
    if (key) return key.id.replace(/[^A-Za-z0-9]/g, "");
    throw new AppError("not_allowed", "Cannot publish: the API key is not one of this server's");
  };
}
