import type { SubtensorClient } from "../chain/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import type { JobsOptions, WebhookOptions } from "../gateway/mod.ts";
import type { NeuronOptions } from "../neuron/mod.ts";
import type { NsfwPolicy } from "../safety/mod.ts";
import type { ForwardOptions } from "./forwarder.ts";
import type { Validated } from "./ask_validator.ts";
import type { StressOptions } from "./stress_window.ts";
import type { ContentEarnings } from "./weights_loop.ts";
import type { GivenCalibration } from "../calibrate/mod.ts";

/** What a validator is started with. */
export interface ValidatorOptions extends NeuronOptions {
  readonly chain: SubtensorClient;
  /** Serves users; makes checks with an engine of its own; tests miners and sets weights. */
  readonly roles: { readonly forward: boolean; readonly score: boolean; readonly stress: boolean };
  /** Blocks from weights to weights. */
  readonly epochLength: number;
  /** What creators of content earned, where they are paid for as well. */
  readonly content?: ContentEarnings;
  /** Blocks until the metagraph is read again. */
  readonly refreshBlocks?: number;
  readonly forward: ForwardOptions;
  readonly stress: StressOptions;
  /** Milliseconds that a miner has for all that one check fetches of it. */
  readonly fetchMs?: number;
  /** Miners checked at the same time, and milliseconds from one window of tests to the next. */
  readonly concurrency: number;
  readonly restMs: number;
  /** A file or an address of prompts. */
  readonly prompts?: string;
  /** What synthetic requests ask for, where it is not the model's own. */
  readonly synthetic: { readonly size?: number; readonly steps?: number };
  /** The scoring API of another validator; needed without the forwarding role. */
  readonly scoring?: Validated;
  /** Which other processes of this validator have joined; its caller closes it. */
  readonly cluster?: Cluster;
  /** Whether axons count at addresses that the open internet does not route to. */
  readonly privateAxons: boolean;
  /** What honest machines are like, besides the records of the catalogue. */
  readonly calibration?: GivenCalibration;
  /** API keys' file. */
  readonly apiKeys?: string;
  /** SS58 of callers that may ask, besides the validator itself. */
  readonly allowed: readonly string[];
  /** Origins whose pages may ask for images; `*` for any. */
  readonly origins: readonly string[];
  /** On prompts and images that are not for everybody; default: off. */
  readonly nsfw?: NsfwPolicy;
  /** Whether AUTOMATIC1111's interface is served; default: no. */
  readonly a1111?: boolean;
  /** Whether images say where they came from, and can be found by what they are; default: yes. */
  readonly metadata?: boolean;
  /** PEM files of who signs content credentials into images: certificates, and their key. */
  readonly credentials?: { readonly chain: string; readonly key: string };
  /** Where users reach this validator. */
  readonly publicUrl?: string;
  /** User requests a minute, of each caller. */
  readonly requestsPerMinute: number;
  readonly jobs: JobsOptions;
  readonly webhooks: WebhookOptions;
}
