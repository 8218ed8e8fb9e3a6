import { expandMetadata, Metadata, StorageKey, TypeRegistry } from "@polkadot/types";
import type { Codec } from "@polkadot/types/types";
import { hexToU8a, u8aConcat, u8aToHex } from "@polkadot/util";
import { AppError } from "../../../core/error.ts";
import runtime from "./runtime.json" with { type: "json" };

const MAGIC = [0x6d, 0x65, 0x74, 0x61];
const METADATA_VERSION = 16;

const NO_FIELDS = { extrinsic: {}, payload: {} };
/** Extensions that polkadot does not know, and that add nothing to what is signed. */
const EMPTY_EXTENSIONS = {
  SudoTransactionExtension: NO_FIELDS,
  CheckShieldedTxValidity: NO_FIELDS,
  SubtensorTransactionExtension: NO_FIELDS,
  DrandPriority: NO_FIELDS,
};

type Decorated = ReturnType<typeof expandMetadata>;

/** The devnet's runtime: subtensor's metadata as far as neurons need it, and its types. */
export class Runtime {
  readonly registry = new TypeRegistry();
  /** As `state_getMetadata` gives it. */
  readonly metadata: Uint8Array;
  readonly #decorated: Decorated;

  /**
   * @param blockMs milliseconds from block to block: the runtime states half of it.
   * @param upgrades later spec versions by so much, with the calls numbered otherwise.
   */
  constructor(blockMs: number, upgrades = 0) {
    const json = upgraded(withPeriod(blockMs), upgrades);
    const body = new TypeRegistry().createType("MetadataV16", json).toU8a();
    this.metadata = u8aConcat(new Uint8Array([...MAGIC, METADATA_VERSION]), body);
    const metadata = new Metadata(this.registry, u8aToHex(this.metadata));
    this.registry.setMetadata(metadata, undefined, EMPTY_EXTENSIONS);
    this.#decorated = expandMetadata(this.registry, metadata);
  }

  /** `System.Version`: what `state_getRuntimeVersion` says. */
  get version(): Codec {
    return this.#decorated.consts.system.version;
  }

  constant(pallet: string, name: string): Codec {
    return this.#decorated.consts[pallet][name];
  }

  /** The full key of an item, and the type of its value. @param item such as `system.account`. */
  key(item: string, keys: readonly unknown[]): { readonly key: string; readonly type: string } {
    const entry = this.entry(item);
    const argument = keys.length === 1 ? keys[0] : keys;
    const key = new StorageKey(
      this.registry,
      keys.length ? [entry, [argument].flat()] : entry,
    );
    return { key: key.toHex(), type: key.outputType };
  }

  /** The prefix of all keys of an item. */
  prefix(item: string): string {
    return u8aToHex(this.entry(item).keyPrefix());
  }

  /** The value of an item that was never set; undefined where there is none. */
  fallback(item: string, type: string): Codec | undefined {
    const { meta } = this.entry(item);
    return meta.modifier.isOptional
      ? undefined
      : this.registry.createType(type, meta.fallback.toU8a(true));
  }

  entry(item: string): Decorated["query"][string][string] {
    const [pallet, name] = item.split(".");
    const entry = this.#decorated.query[pallet]?.[name];
    if (entry) return entry;
    throw new AppError("chain_invalid", `Cannot read the devnet's state: it has no ${item}`);
  }

  /** The output type of a runtime API's method, such as `NeuronInfoRuntimeApi_get_neurons_lite`. */
  apiOutput(name: string): string | undefined {
    for (const api of this.registry.metadata.apis) {
      for (const method of api.methods) {
        if (`${api.name}_${method.name}` === name) {
          return this.registry.createLookupType(method.output);
        }
      }
    }
    return undefined;
  }

  /** An event's bytes, without its phase. */
  event(pallet: string, name: string, data: readonly unknown[]): Uint8Array {
    const { index, events } = this.#pallet(pallet);
    const type = this.registry.createLookupType(events.unwrap().type);
    const event = this.registry.createType(type, { [name]: data });
    return u8aConcat([index.toNumber()], event.toU8a());
  }

  /** A pallet's error as a `DispatchError`. */
  moduleError(pallet: string, name: string): { readonly module: unknown } {
    const { index, errors } = this.#pallet(pallet);
    const { variants } = this.registry.lookup.getSiType(errors.unwrap().type).def.asVariant;
    const variant = variants.find((each) => each.name.toString() === name);
    if (!variant) {
      throw new AppError("chain_invalid", `Cannot report an error: ${pallet} has no ${name}`);
    }
    const error = new Uint8Array(4);
    error[0] = variant.index.toNumber();
    return { module: { index: index.toNumber(), error } };
  }

  #pallet(name: string) {
    const pallet = this.registry.metadata.pallets.find((each) => each.name.toString() === name);
    if (pallet) return pallet;
    throw new AppError("chain_invalid", `Cannot find a pallet: the devnet has no ${name}`);
  }
}

/** Where `System.Version` has its spec version: behind two names of 14 letters and a number. */
const SPEC_OFFSET = 34;

/** As an upgrade may do it: what a client has encoded by the older metadata now says other things. */
function upgraded(json: typeof runtime, upgrades: number): typeof runtime {
  if (upgrades === 0) return json;
  const pallets = json.pallets.map((pallet) => ({
    ...pallet,
    constants: pallet.constants.map((constant) =>
      pallet.name === "System" && constant.name === "Version"
        ? { ...constant, value: withSpec(constant.value, upgrades) }
        : constant
    ),
  }));
  const calls = json.pallets.find(({ name }) => name === "SubtensorModule")?.calls?.type;
  const types = json.lookup.types.map((each) => {
    if (each.id !== calls || !("variant" in each.type.def)) return each;
    const { variants } = each.type.def.variant as { variants: readonly { index: number }[] };
    const moved = variants.map((variant, k) => ({
      ...variant,
      index: variants[(k + upgrades) % variants.length].index,
    }));
    return { ...each, type: { ...each.type, def: { variant: { variants: moved } } } };
  });
  return { ...json, pallets, lookup: { ...json.lookup, types } } as typeof runtime;
}

function withSpec(value: string, upgrades: number): string {
  const bytes = hexToU8a(value);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(SPEC_OFFSET, view.getUint32(SPEC_OFFSET, true) + upgrades, true);
  return u8aToHex(bytes);
}

/** `Timestamp.MinimumPeriod` is half of a block's time. */
function withPeriod(blockMs: number): typeof runtime {
  const period = new Uint8Array(8);
  new DataView(period.buffer).setBigUint64(0, BigInt(Math.max(1, Math.round(blockMs / 2))), true);
  const pallets = runtime.pallets.map((pallet) => ({
    ...pallet,
    constants: pallet.constants.map((constant) =>
      constant.name === "MinimumPeriod" ? { ...constant, value: u8aToHex(period) } : constant
    ),
  }));
  return { ...runtime, pallets } as typeof runtime;
}
