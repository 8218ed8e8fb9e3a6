import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Payouts } from "../../payout/mod.ts";
import { childCommand } from "../../runtime/mod.ts";
import type { Devnet } from "../../chain/mod.ts";

/** What became of a payout whose process was killed. */
export interface KilledPayout {
  /** rao that the creator has on the chain. */
  readonly arrived: bigint;
  /** rao that the ledger has as paid. */
  readonly booked: bigint;
  /** Whether the ledger did not know yet that it had arrived, when the process was killed. */
  readonly unsettled: boolean;
}

interface Needs {
  /** `server/main.ts`. */
  readonly main: string;
  readonly devnet: Devnet;
  /** Of the ledger. */
  readonly folder: string;
  /** A development key whose TAO are paid. */
  readonly treasury: string;
  readonly creator: string;
  /** Milliseconds that each run has at most. */
  readonly patience: number;
}

const POLL_MS = 20;

/** Runs `payout send` and kills it with -9 once the chain has the transfer; then runs it again. */
export async function payKilled(needs: Needs): Promise<KilledPayout> {
  const first = start(needs);
  while (arrivedAt(needs) === 0n && first.running()) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  first.kill();
  await first.ended;
  const unsettled = ledgerOf(needs, (payouts) => payouts.payments("sending").length > 0);
  const again = start(needs);
  await again.ended;
  const booked = ledgerOf(needs, (payouts) => payouts.balance("paid"));
  return { arrived: arrivedAt(needs), booked, unsettled };
}

function start({ main, devnet, folder, treasury, patience }: Needs) {
  const args = [
    ...["payout", "send", "--storage", folder, "--wallet.hotkey", treasury],
    ...["--subtensor.network", "devnet", "--subtensor.chain_endpoint", devnet.endpoint],
  ];
  const child = spawn(...childCommand(main, args), { stdio: "ignore", timeout: patience });
  let running = true;
  const ended = once(child, "exit").then(() => {
    running = false;
  });
  return { ended, running: () => running, kill: () => child.kill("SIGKILL") };
}

function arrivedAt({ devnet, creator }: Needs): bigint {
  const account = devnet.chain.state.read("system.account", creator)?.toJSON();
  const { data } = (account ?? {}) as { readonly data?: { readonly free: number } };
  return BigInt(data?.free ?? 0);
}

function ledgerOf<T>({ folder }: Needs, look: (payouts: Payouts) => T): T {
  using payouts = new Payouts(join(folder, "payouts.sqlite"));
  return look(payouts);
}
