import { fail } from "./refusal.ts";
import type { State, StateView } from "./state.ts";

/** Vectors that hold one value for each uid. */
const PER_UID: Readonly<Record<string, unknown>> = {
  active: true,
  validatorPermit: false,
  lastUpdate: 0,
  incentive: 0,
  consensus: 0,
  dividends: 0,
  validatorTrust: 0,
  stakeWeight: 0,
  emission: 0,
};
const NAMESPACE = "subtensorModule";

/** Sets one place of a per-uid vector. */
export function setOfUid(
  state: State,
  item: string,
  netuid: number,
  uid: number,
  value: unknown,
): void {
  const values = state.list<unknown>(`${NAMESPACE}.${item}`, netuid);
  // Of a mechanism that nobody has set weights of, the vector is empty.
  while (values.length <= uid) values.push(PER_UID[item]);
  values[uid] = value;
  state.write(`${NAMESPACE}.${item}`, [netuid], values);
}

export function uidOf(state: StateView, netuid: number, hotkey: string): number | undefined {
  const uid = state.text(`${NAMESPACE}.uids`, netuid, hotkey);
  return uid === undefined || uid === "" ? undefined : Number(uid);
}

export function hotkeysOf(state: StateView, netuid: number): string[] {
  const n = state.number(`${NAMESPACE}.subnetworkN`, netuid);
  return Array.from({ length: n }, (_, uid) => state.text(`${NAMESPACE}.keys`, netuid, uid) ?? "");
}

/** In rao of the subnet's alpha. */
export function stakeOf(state: StateView, netuid: number, hotkey: string): bigint {
  return state.big(`${NAMESPACE}.totalHotkeyAlpha`, hotkey, netuid);
}

export function addStake(state: State, netuid: number, hotkey: string, amount: bigint): void {
  const stake = stakeOf(state, netuid, hotkey) + amount;
  state.write(`${NAMESPACE}.totalHotkeyAlpha`, [hotkey, netuid], stake < 0n ? 0n : stake);
}

/**
 * Gives a hotkey a uid: the next free one, or that of the neuron that earned least when all are
 * taken. The chain spares neurons in their immunity period; so does this.
 * @returns its uid.
 */
export function registerNeuron(
  state: State,
  { netuid, hotkey, coldkey, block }: {
    readonly netuid: number;
    readonly hotkey: string;
    readonly coldkey: string;
    readonly block: number;
  },
): number {
  if (uidOf(state, netuid, hotkey) !== undefined) fail("HotKeyAlreadyRegisteredInSubNet");
  const n = state.number(`${NAMESPACE}.subnetworkN`, netuid);
  const full = n >= state.number(`${NAMESPACE}.maxAllowedUids`, netuid);
  const uid = full ? replaceable(state, netuid, block) : n;
  if (full) forget(state, netuid, uid);
  else state.write(`${NAMESPACE}.subnetworkN`, [netuid], n + 1);
  state.write(`${NAMESPACE}.keys`, [netuid, uid], hotkey);
  state.write(`${NAMESPACE}.uids`, [netuid, hotkey], uid);
  state.write(`${NAMESPACE}.isNetworkMember`, [hotkey, netuid], true);
  state.write(`${NAMESPACE}.owner`, [hotkey], coldkey);
  state.write(`${NAMESPACE}.blockAtRegistration`, [netuid, uid], block);
  for (const [item, value] of Object.entries(PER_UID)) setOfUid(state, item, netuid, uid, value);
  setOfUid(state, "lastUpdate", netuid, uid, block);
  return uid;
}

function replaceable(state: State, netuid: number, block: number): number {
  const immunity = state.number(`${NAMESPACE}.immunityPeriod`, netuid);
  const emission = state.numbers(`${NAMESPACE}.emission`, netuid);
  const since = (uid: number) => state.number(`${NAMESPACE}.blockAtRegistration`, netuid, uid);
  const uids = emission.map((_, uid) => uid);
  const mortal = uids.filter((uid) => block - since(uid) >= immunity);
  const candidates = mortal.length ? mortal : uids;
  return candidates.reduce((worst, uid) =>
    emission[uid] < emission[worst] ||
      (emission[uid] === emission[worst] && since(uid) < since(worst))
      ? uid
      : worst
  );
}

function forget(state: State, netuid: number, uid: number): void {
  const hotkey = state.text(`${NAMESPACE}.keys`, netuid, uid);
  state.remove(`${NAMESPACE}.uids`, [netuid, hotkey]);
  state.remove(`${NAMESPACE}.isNetworkMember`, [hotkey, netuid]);
  state.remove(`${NAMESPACE}.axons`, [netuid, hotkey]);
  state.remove(`${NAMESPACE}.weights`, [netuid, uid]);
  state.remove(`${NAMESPACE}.bonds`, [netuid, uid]);
}
