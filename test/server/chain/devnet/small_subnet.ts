import type { KeyringPair } from "@polkadot/keyring/types";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { SubtensorClient } from "../../../../server/chain/client/mod.ts";
import {
  type Devnet,
  type DevnetOptions,
  startDevnet,
} from "../../../../server/chain/devnet/mod.ts";
import { developmentPair } from "../../../../server/chain/wallet/mod.ts";

export const NETUID = 1;
export const TAO = 1_000_000_000n;

/** Alice validates with stake; Bob and Charlie mine; Dave has TAO and no uid. */
export interface SmallSubnet {
  readonly devnet: Devnet;
  readonly alice: KeyringPair;
  readonly bob: KeyringPair;
  readonly charlie: KeyringPair;
  readonly dave: KeyringPair;
}

export async function startSubnet(options: Partial<DevnetOptions> = {}): Promise<SmallSubnet> {
  await cryptoWaitReady();
  const [alice, bob, charlie, dave] = ["//Alice", "//Bob", "//Charlie", "//Dave"].map(
    developmentPair,
  );
  const devnet = await startDevnet({
    port: 0,
    blockMs: 50,
    netuid: NETUID,
    funds: { [alice.address]: 1_000_000n * TAO, [dave.address]: 1_000n * TAO },
    neurons: [
      { hotkey: alice.address, coldkey: alice.address, stake: 1000n * TAO },
      { hotkey: bob.address, coldkey: alice.address, stake: 0n },
      { hotkey: charlie.address, coldkey: alice.address, stake: 0n },
    ],
    ...options,
  });
  return { devnet, alice, bob, charlie, dave };
}

export function connect(devnet: Devnet, netuid = NETUID): Promise<SubtensorClient> {
  return SubtensorClient.connect({ network: "devnet", endpoint: devnet.endpoint, netuid });
}

/** Resolves when the client has seen that many blocks more. */
export async function blocks(client: SubtensorClient, count: number): Promise<void> {
  const until = client.block + count;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = client.onBlock((block) => block >= until && resolve());
  await promise;
  end();
}
