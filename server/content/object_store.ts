import { AwsClient } from "aws4fetch";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readAtMost } from "../../core/bounded_body.ts";
import { AppError, reason } from "../../core/error.ts";
import { isMissing, writeAtomically } from "../storage/mod.ts";

/** Where batches are kept: by name, whole, and never changed. */
export interface ObjectStore {
  put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** @returns undefined where there is none. */
  get(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** An S3-compatible bucket. */
export interface Bucket {
  /** Of the bucket: `https://s3.example/bucket`. */
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region?: string;
}

const TIMEOUT_MS = 60_000;
/** A larger batch is not read. */
const MAX_BYTES = 2 ** 30;

export function folderStore(folder: string): ObjectStore {
  return {
    async put(name, bytes) {
      const path = join(folder, checkName(name));
      await mkdir(dirname(path), { recursive: true });
      await writeAtomically(path, bytes);
    },
    async get(name) {
      try {
        return new Uint8Array(await readFile(join(folder, checkName(name))));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  };
}

export function bucketStore({ url, region = "us-east-1", ...keys }: Bucket): ObjectStore {
  const client = new AwsClient({ ...keys, region, service: "s3" });
  const addressOf = (name: string) => `${url.replace(/\/*$/, "")}/${checkName(name)}`;
  const ask = async (name: string, init: RequestInit) => {
    const address = addressOf(name);
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await client.fetch(address, { ...init, signal });
      if (response.ok || response.status === 404) return response;
      await response.body?.cancel();
      throw new Error(`it answered ${response.status}`);
    } catch (cause) {
      throw new AppError("storage_failed", `Cannot reach ${address}: ${reason(cause)}`, { cause });
    }
  };
  return {
    async put(name, body) {
      const response = await ask(name, { method: "PUT", body });
      await response.body?.cancel();
      if (response.ok) return;
      throw new AppError(
        "storage_failed",
        `Cannot keep ${addressOf(name)}: there is no such bucket`,
      );
    },
    async get(name) {
      const response = await ask(name, { method: "GET" });
      if (response.ok) return await readAtMost(response, MAX_BYTES);
      await response.body?.cancel();
      return undefined;
    },
  };
}

/** Names are ours: letters, digits, dots and dashes alone leave no folder and need no escapes. */
function checkName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name)) return name;
  throw new AppError("invalid_request", `Cannot name a batch ${JSON.stringify(name)}`);
}
