import type { ChainFlags, WalletFlags } from "../chain/mod.ts";

export interface StoreFlags {
  readonly storage: string;
  readonly s3?: string;
  readonly "s3.key"?: string;
  readonly "s3.secret"?: string;
}

export interface ServeFlags extends StoreFlags, ChainFlags, WalletFlags {
  readonly port: string;
  readonly base?: string;
  readonly every: string;
  readonly commit: boolean;
  readonly check?: string;
  readonly compute: string;
  readonly "api.storage"?: string;
  readonly "pin.url"?: string;
  readonly "pin.token"?: string;
  readonly payouts?: string;
  readonly "payouts.budget": string;
  readonly bluesky: string;
  readonly mastodon: readonly string[];
}
