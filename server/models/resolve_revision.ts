import { AppError, reason } from "../../core/error.ts";
import {
  describeSource,
  type HubAccess,
  type ModelProgress,
  type ModelSource,
  openHub,
  type RemoteFolder,
  type Transport,
} from "../../core/model/mod.ts";
import { rememberCommit, rememberedCommit } from "./model_cache.ts";

type HubSource = Extract<ModelSource, { kind: "hub" }>;

interface Resolving {
  readonly cacheFolder: string;
  readonly hub: HubAccess;
  readonly web: Transport;
  readonly onProgress?: (progress: ModelProgress) => void;
  readonly signal?: AbortSignal;
}

const SHORT_STALL_MS = 5000;

/**
 * What a branch or tag stands for now or, when the hub can't be reached, stood for when it last was;
 * the user is notified.
 * @throws AppError `model_not_found`; `download_failed` when nothing is remembered.
 */
export async function resolveRevision(
  source: HubSource,
  resolving: Resolving,
): Promise<RemoteFolder> {
  const { cacheFolder, hub, web, signal } = resolving;
  const known = await rememberedCommit(cacheFolder, source);
  try {
    const remote = await openHub(source, hub, known ? impatient(web) : web, signal);
    if (remote.commit) await rememberCommit(cacheFolder, source, remote.commit);
    return remote;
  } catch (error) {
    const unreachable = error instanceof AppError && error.code === "download_failed";
    if (known && unreachable) return fallBack(source, known, error, resolving);
    throw error;
  }
}

/** With a cached copy there is no point in trying for long. */
function impatient(web: Transport): Transport {
  return { ...web, attempts: 2, stallMs: Math.min(web.stallMs ?? SHORT_STALL_MS, SHORT_STALL_MS) };
}

/** The remote side while the hub is out of reach: fails only when asked for a file, as the hub did. */
function fallBack(
  source: HubSource,
  commit: string,
  error: AppError,
  { onProgress }: Resolving,
): RemoteFolder {
  const message = `${describeSource(source)} could not be looked up (${reason(error)}): using ` +
    `commit ${commit}, which it was when last looked up`;
  onProgress?.({ kind: "note", message });
  const name = describeSource({ ...source, revision: commit });
  return { name, commit, find: () => Promise.reject(error) };
}
