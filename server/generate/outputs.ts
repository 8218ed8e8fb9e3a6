import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { AppError, reason } from "../../core/error.ts";
import { checkFree, checkWritable, type OutputFile, writeTogether } from "../storage/mod.ts";

/** Of `--out`: the image goes to standard output. */
export const STDOUT = "-";

/** Where a run's files go, as typed. */
export interface OutputFlags {
  readonly out?: string;
  readonly transcriptOut?: string;
  readonly receiptOut?: string;
  readonly json: boolean;
  /** Files that are there are replaced. */
  readonly force: boolean;
}

/** Where a run's files go. */
export interface Outputs {
  /** One an image, or {@link STDOUT}. */
  readonly images: readonly string[];
  /** One an image, or none. */
  readonly receipts: readonly string[];
  readonly transcript: string | undefined;
}

/** Where the files of one flag go. */
interface Place {
  readonly paths: readonly string[];
  /** Somebody typed the name, and not only its folder: it gets no number. */
  readonly typed: boolean;
}

/**
 * Decides where files go, and tries whether they could be written there. A name that nobody typed
 * gets a number where its file is there already.
 * @param beside suffixes of other images that {@link outputsBeside} these will be.
 * @throws AppError `invalid_request` for a file that is there, unless `--force` replaces it, for one
 * asked for twice, and for what standard output cannot carry; `storage_failed`.
 */
export async function planOutputs(
  flags: OutputFlags,
  { seed, batch }: { readonly seed: bigint; readonly batch: number },
  beside: readonly string[] = [],
): Promise<Outputs> {
  if (flags.out === STDOUT) checkStdout(flags.json, batch + beside.length);
  const place = (given: string | undefined, ending: string, images: number) =>
    placeOf(given, `stepwise-${seed}${ending}`, images, flags.force);
  const none: Place = { paths: [], typed: false };
  const image = flags.out === STDOUT ? none : await place(flags.out, ".png", batch);
  const receipt = flags.receiptOut ? await place(flags.receiptOut, ".json", batch) : none;
  const transcript = flags.transcriptOut
    ? await place(flags.transcriptOut, ".safetensors", 1)
    : none;
  const outputs = {
    images: flags.out === STDOUT ? [STDOUT] : image.paths,
    receipts: receipt.paths,
    transcript: transcript.paths.at(0),
  };
  const others = beside.map((suffix): Place => {
    const { images, receipts, transcript } = outputsBeside(outputs, suffix);
    return { paths: [...images, ...receipts, ...transcript ? [transcript] : []], typed: true };
  });
  await checkPlaces([image, receipt, transcript, ...others], flags.force);
  return outputs;
}

/** Where the files of another image of the same command go: `x-first.png` beside `x.png`. */
export function outputsBeside(
  { images, receipts, transcript }: Outputs,
  suffix: string,
): Outputs {
  const beside = (path: string) => splitEnding(path).join(suffix);
  return {
    images: images.map(beside),
    receipts: receipts.map(beside),
    transcript: transcript && beside(transcript),
  };
}

/** The same for a PNG, whatever the image's own format. */
export function pngBeside({ images: [path] }: Outputs, suffix: string): string {
  return `${splitEnding(path)[0]}${suffix}.png`;
}

/** Writes all of a run's files, or none; an image for standard output goes there last. */
export async function writeOutputs(
  files: readonly OutputFile[],
): Promise<void> {
  const kept = files.filter(({ path }) => path !== STDOUT);
  for (const { path } of kept) await mkdir(dirname(path), { recursive: true });
  await writeTogether(kept);
  for (const { path, bytes } of files) if (path === STDOUT) await writeToStdout(bytes);
}

/** Those that are files, for a line that says where they are. */
export function writtenFiles(paths: readonly string[]): string[] {
  return paths.filter((path) => path !== STDOUT);
}

/** `x.png`, or `x-1.png`, `x-2.png`, ... for a batch. */
function outputPaths(out: string, batch: number): string[] {
  if (batch === 1) return [out];
  const [stem, ending] = splitEnding(out);
  return Array.from({ length: batch }, (_, k) => `${stem}-${k + 1}${ending}`);
}

async function placeOf(
  given: string | undefined,
  name: string,
  batch: number,
  force: boolean,
): Promise<Place> {
  if (given !== undefined && !await isFolder(given)) {
    return { paths: outputPaths(given, batch), typed: true };
  }
  const path = given === undefined ? name : join(given, name);
  return { paths: force ? outputPaths(path, batch) : await freePaths(path, batch), typed: false };
}

/** `x.png`, or with the first number from 2 on under which nothing is there: `x-2.png`. */
async function freePaths(path: string, batch: number): Promise<string[]> {
  const [stem, ending] = splitEnding(path);
  for (let number = 1;; number++) {
    const paths = outputPaths(number === 1 ? path : `${stem}-${number}${ending}`, batch);
    if (await firstThere(paths) === undefined) return paths;
  }
}

/** Before the work, so that it is not done in vain. */
async function checkPlaces(places: readonly Place[], force: boolean): Promise<void> {
  const paths = places.flatMap((place) => place.paths);
  refuseSameFiles(paths);
  const typed = places.filter((place) => place.typed).flatMap((place) => place.paths);
  await checkFree(typed, force);
  for (const { paths, typed } of places) {
    for (const path of paths) await checkWritable(typed ? path : await tried(path));
  }
}

/** A file beside which a folder, that is made when all is done, will be. */
async function tried(path: string): Promise<string> {
  const folder = dirname(path);
  return await statOf(folder) || dirname(folder) === folder ? path : await tried(folder);
}

/** @throws AppError `invalid_request` for a file that would be written twice. */
function refuseSameFiles(paths: readonly string[]): void {
  const files = paths.map((path) => resolve(path));
  const twice = paths.find((_, k) => files.indexOf(files[k]) !== k);
  if (twice === undefined) return;
  refuse(
    `Cannot write ${twice}: it is asked for twice, by --out, --transcript-out or --receipt-out`,
  );
}

function checkStdout(json: boolean, batch: number): void {
  const why = json
    ? "--json prints there; give --out a file"
    : batch > 1
    ? `it takes one, not ${batch}; give --out a file or a folder`
    : process.stdout.isTTY
    ? "it is a terminal; pipe it, or give --out a file"
    : undefined;
  if (why) refuse(`Cannot write the image to standard output: ${why}`);
}

async function writeToStdout(bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.stdout.once("error", reject);
  process.stdout.write(bytes, (error) => error ? reject(error) : resolve());
  try {
    await promise;
  } catch (cause) {
    const why = `Cannot write the image to standard output: ${reason(cause)}`;
    throw new AppError("storage_failed", why, { cause });
  } finally {
    process.stdout.off("error", reject);
  }
}

/** A folder that is there, or a name that can be nothing else. */
async function isFolder(path: string): Promise<boolean> {
  return /[/\\]$/.test(path) || (await statOf(path))?.isDirectory() === true;
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await statOf(path)) return path;
}

async function statOf(path: string) {
  return await stat(path).catch(() => undefined);
}

function splitEnding(path: string): [stem: string, ending: string] {
  const dot = path.search(/(\.[^./]*)?$/);
  return [path.slice(0, dot), path.slice(dot)];
}

function refuse(sentence: string): never {
  throw new AppError("invalid_request", sentence);
}
