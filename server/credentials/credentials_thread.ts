/** The thread of {@link ContentCredentials}: c2pa-rs as wasm takes a tenth of a second for each file. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import { initSync, WasmBuilder } from "@contentauth/c2pa-wasm";
import { reason } from "../../core/error.ts";
import { coseSign1 } from "./cose.ts";
import { readSigner, type Signer } from "./signer.ts";

/** A file that is to be signed. */
export interface CredentialsOrder {
  readonly paths: { readonly chain: string; readonly key: string };
  readonly file: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  /** The manifest's definition as JSON. */
  readonly manifest: string;
}

/** What the thread sends for each order, before it gets the next. */
export type CredentialsAnswer = { readonly file: Uint8Array<ArrayBuffer> } | {
  readonly why: string;
};

/** Bytes besides the certificates: headers, signature, padding. */
const FRAME = 1024;

/** A blob whose bytes can be read at once: the library reads them so, as browsers' workers can. */
class KeptBlob extends Blob {
  constructor(readonly kept: Uint8Array<ArrayBuffer>, type: string) {
    super([kept], { type });
  }

  override slice(start = 0, end = this.kept.length): Blob {
    return new KeptBlob(this.kept.slice(start, end), this.type);
  }
}

/** The one method of a browser's worker that the library needs. */
class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer {
    if (blob instanceof KeptBlob) return blob.kept.slice().buffer;
    throw new Error("a blob is read that is not kept");
  }
}

let ready: Signer | undefined;

function open(paths: CredentialsOrder["paths"]): Signer {
  Object.assign(globalThis, { FileReaderSync });
  const wasm = fileURLToPath(import.meta.resolve("@contentauth/c2pa-wasm/c2pa.wasm"));
  initSync({ module: readFileSync(wasm) });
  return readSigner(paths);
}

parentPort?.on("message", async (order: CredentialsOrder) => {
  parentPort?.postMessage(await signed(order).catch((error) => ({ why: reason(error) })));
});

async function signed(
  { paths, file, mediaType, manifest }: CredentialsOrder,
): Promise<CredentialsAnswer> {
  const { chain, sign } = ready ??= open(paths);
  const reserveSize = chain.reduce((sum, { length }) => sum + length, FRAME);
  using builder = WasmBuilder.fromJson(manifest);
  const signer = {
    ...{ alg: "es256", reserveSize },
    sign: (claim: Uint8Array<ArrayBuffer>) =>
      Promise.resolve(coseSign1(claim, chain, sign, reserveSize)),
  };
  const result = await builder.sign(signer, [], mediaType, new KeptBlob(file, mediaType));
  return { file: Uint8Array.from(result) };
}
