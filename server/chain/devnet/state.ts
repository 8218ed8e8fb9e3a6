import type { Codec } from "@polkadot/types/types";
import { hexToU8a, u8aToHex } from "@polkadot/util";
import type { Runtime } from "./runtime.ts";

/** What a key was set to, in which block. undefined: removed. */
interface Version {
  readonly block: number;
  readonly value: string | undefined;
}

/** Blocks whose state can still be asked for. */
export const KEPT_BLOCKS = 300;

/** State as the pallets and the runtime API read it. */
export abstract class StateView {
  protected abstract runtime: Runtime;

  /** A key's value in hex. */
  abstract raw(key: string): string | undefined;

  /** An item's value; its default, or undefined for an optional one, when it is not set. */
  read(item: string, ...keys: readonly unknown[]): Codec | undefined {
    const { key, type } = this.runtime.key(item, keys);
    const value = this.raw(key);
    return value === undefined
      ? this.runtime.fallback(item, type)
      : this.runtime.registry.createType(type, hexToU8a(value));
  }

  number(item: string, ...keys: readonly unknown[]): number {
    return Number(this.read(item, ...keys)?.toString() ?? 0);
  }

  big(item: string, ...keys: readonly unknown[]): bigint {
    return BigInt(this.read(item, ...keys)?.toString() ?? 0);
  }

  flag(item: string, ...keys: readonly unknown[]): boolean {
    return this.read(item, ...keys)?.toString() === "true";
  }

  text(item: string, ...keys: readonly unknown[]): string | undefined {
    return this.read(item, ...keys)?.toString();
  }

  numbers(item: string, ...keys: readonly unknown[]): number[] {
    return (this.read(item, ...keys)?.toJSON() as readonly unknown[] | undefined ?? []).map(Number);
  }

  list<T>(item: string, ...keys: readonly unknown[]): T[] {
    return this.read(item, ...keys)?.toJSON() as T[] | undefined ?? [];
  }
}

/** Keys and values in hex, with those of the last blocks. */
export class State extends StateView {
  protected runtime: Runtime;
  readonly #versions = new Map<string, Version[]>();
  readonly #changed = new Map<string, string | undefined>();
  /** Keys that were removed, the first one first. */
  readonly #removed: { readonly key: string; readonly block: number }[] = [];
  readonly #first: number;
  #block: number;

  constructor(runtime: Runtime, block: number, entries: Iterable<readonly [string, string]>) {
    super();
    this.runtime = runtime;
    this.#block = block;
    this.#first = block;
    for (const [key, value] of entries) this.#versions.set(key, [{ block, value }]);
  }

  /** Items are encoded by another runtime from now on. */
  upgrade(runtime: Runtime): void {
    this.runtime = runtime;
  }

  /** The first block whose state can be asked for: none from before a restart. */
  get oldest(): number {
    return Math.max(this.#first, this.#block - KEPT_BLOCKS);
  }

  /** As it was after an older block. @param runtime of that time. */
  at(block: number, runtime: Runtime): StateView {
    return new PastState(this, block, runtime);
  }

  /** The value in hex, now or after an older block. */
  override raw(key: string, block = Infinity): string | undefined {
    return this.#versions.get(key)?.findLast((version) => version.block <= block)?.value;
  }

  /** All keys that are set and begin so, sorted. */
  keys(prefix: string, block = Infinity): string[] {
    return [...this.#versions.keys()]
      .filter((key) => key.startsWith(prefix) && this.raw(key, block) !== undefined)
      .sort();
  }

  write(item: string, keys: readonly unknown[], value: unknown): void {
    const { key, type } = this.runtime.key(item, keys);
    this.#set(key, u8aToHex(this.runtime.registry.createType(type, value).toU8a()));
  }

  writeRaw(key: string, value: string): void {
    this.#set(key, value);
  }

  remove(item: string, keys: readonly unknown[]): void {
    this.#set(this.runtime.key(item, keys).key, undefined);
  }

  /** From here on changes are of this block. */
  begin(block: number): void {
    this.#block = block;
    this.#changed.clear();
    this.#forgetRemoved();
  }

  /** All that the block changed. */
  get changes(): ReadonlyMap<string, string | undefined> {
    return this.#changed;
  }

  /** Runs a call; when it throws, what it changed is as before. */
  attempt<T>(call: () => T): T {
    const before = new Map(this.#changed);
    const touched = new Map<string, string | undefined>();
    this.#journal = touched;
    try {
      return call();
    } catch (error) {
      for (const [key, value] of touched) this.#put(key, value);
      this.#changed.clear();
      for (const [key, value] of before) this.#changed.set(key, value);
      throw error;
    } finally {
      this.#journal = undefined;
    }
  }

  #journal: Map<string, string | undefined> | undefined;

  #set(key: string, value: string | undefined): void {
    if (this.#journal && !this.#journal.has(key)) this.#journal.set(key, this.raw(key));
    this.#put(key, value);
    this.#changed.set(key, value);
  }

  #put(key: string, value: string | undefined): void {
    const versions = this.#versions.get(key) ?? [];
    if (versions.at(-1)?.block === this.#block) versions.pop();
    versions.push({ block: this.#block, value });
    const oldest = versions.findLastIndex(({ block }) => block <= this.#block - KEPT_BLOCKS);
    if (oldest > 0) versions.splice(0, oldest);
    if (versions.length === 1 && value === undefined) this.#versions.delete(key);
    else this.#versions.set(key, versions);
    if (value === undefined) this.#removed.push({ key, block: this.#block });
  }

  /** What was removed so long ago that no block that is kept had it. */
  #forgetRemoved(): void {
    const last = this.#block - KEPT_BLOCKS;
    while (this.#removed.length > 0 && this.#removed[0].block <= last) {
      const key = this.#removed.shift()?.key ?? "";
      const newest = this.#versions.get(key)?.at(-1);
      if (newest && newest.value === undefined && newest.block <= last) this.#versions.delete(key);
    }
  }
}

class PastState extends StateView {
  readonly #state: State;
  readonly #block: number;
  protected runtime: Runtime;

  constructor(state: State, block: number, runtime: Runtime) {
    super();
    this.#state = state;
    this.#block = block;
    this.runtime = runtime;
  }

  override raw(key: string): string | undefined {
    return this.#state.raw(key, this.#block);
  }
}
