import { onTestFinished } from "vitest";
import { imageCodec } from "../../core/image/mod.ts";
import { ReplayWindow, RequestGuard } from "../../server/http/mod.ts";
import { systemClock } from "../../server/validator/clock.ts";
import { DEFAULT_FORWARD, Forwarder } from "../../server/validator/forwarder.ts";
import { Ledger } from "../../server/validator/ledger/mod.ts";
import { makeBy } from "../../server/validator/make_by_miners.ts";
import { ValidatorMetrics } from "../../server/validator/metrics.ts";
import { MinerCaller } from "../../server/validator/miner_caller.ts";
import { saysWhereFrom } from "../../server/validator/provenance.ts";
import { type ForwardingParts, validatorRoutes } from "../../server/validator/routes.ts";
import { secureRandom } from "../../server/validator/secure_random.ts";
import type { Wallet } from "../../server/chain/mod.ts";
import { addKey, PICTURES, testGateway } from "../fixtures/gateway.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { type TabWorld, wallet } from "./tab_page.ts";

interface TabValidator {
  readonly url: string;
  readonly ledger: Ledger;
}

/** What a validator's API is served with, in a test. */
interface Parts {
  readonly registered?: (address: string) => boolean;
  /** The folder of its pages. */
  readonly site?: string;
  readonly info?: () => unknown;
  readonly forwarding?: (ledger: Ledger) => Promise<ForwardingParts>;
}

async function serve({ registered = () => true, site, info = () => ({}), forwarding }: Parts) {
  const stack = new DisposableStack();
  const ledger = stack.use(new Ledger(":memory:"));
  const replay = stack.use(new ReplayWindow(":memory:"));
  const { hotkey } = await wallet("//Alice");
  const app = validatorRoutes({
    ...{ ledger, version: "test", site, info, log: () => {}, registered },
    forwarding: await forwarding?.(ledger),
    guard: new RequestGuard(hotkey.address, replay),
    metrics: new ValidatorMetrics({ miners: () => 0, block: () => undefined }),
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  onTestFinished(async () => {
    await server.shutdown();
    stack.dispose();
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, ledger };
}

/** A validator's API over a ledger, until the test ends. */
export function startTabValidator(
  registered: (address: string) => boolean,
): Promise<TabValidator> {
  return serve({ registered });
}

/** A validator that serves the pages, and that asks the world's miner for whoever has the key. */
export async function startTabGateway(
  world: TabWorld,
  { key, info }: { readonly key: string; readonly info?: object },
): Promise<TabValidator> {
  const folder = await temporaryFolder();
  return await serve({
    site: world.dist,
    info: () => ({ name: "stepwise-validator", version: "test", ...info }),
    forwarding: async (ledger) => {
      const forwarder = saysWhereFrom(forwarderTo(await wallet("//Alice"), world, ledger), {
        ...{ ledger, codec: imageCodec },
      });
      const gateway = await testGateway(folder, {
        make: makeBy({ forwarder, pictures: PICTURES, lineageOf: () => [] }),
      });
      onTestFinished(() => gateway[Symbol.asyncDispose]());
      addKey(gateway, key, { imagesPerDay: 50 });
      return {
        ...{
          forwarder,
          gateway,
          codec: imageCodec,
          origins: ["*"],
          allowed: () => {},
          lineageOf: () => [],
        },
        defaults: gateway.parts.model.defaults,
        scorer: () => Promise.reject(new Error("this validator checks nothing")),
      };
    },
  });
}

/** It checks none of its answers. */
function forwarderTo({ hotkey }: Wallet, { miner, made }: TabWorld, ledger: Ledger): Forwarder {
  const peer = { uid: 1, hotkey: miner.hotkey, url: miner.url };
  return new Forwarder({
    ...{ ledger, random: secureRandom, log: () => {}, work: () => 1 },
    caller: new MinerCaller(hotkey),
    scorer: () => Promise.reject(new Error("this validator checks nothing")),
    ranked: () => [{ peer, reward: 1, cheated: false }],
    manifest: made.receipt.model.manifest,
    clock: systemClock,
    options: { ...DEFAULT_FORWARD, checkShare: 0, firstChecks: 0, hedgeMs: 60_000 },
  });
}
