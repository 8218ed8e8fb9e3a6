/** Progress of fetching a model. Emitted for each chunk: whatever shows it thins it out. */
export type ModelProgress =
  /** Totals over all files. `bytes` can fall back: a server that cannot resume starts over. */
  | {
    readonly kind: "download";
    readonly bytes: number;
    /** Absent while a server has not said how large its files are. */
    readonly totalBytes?: number;
    readonly files: number;
    readonly totalFiles: number;
    /** The file whose bytes just came. */
    readonly file: string;
  }
  /** A request failed and is made again after a while; the reason is in the message. */
  | { readonly kind: "retry"; readonly file: string; readonly message: string }
  /** Another process is fetching the same model, and this one waits for it. */
  | { readonly kind: "wait"; readonly message: string }
  /** Something the user should know: the hub can't be reached and a copy is used, ... */
  | { readonly kind: "note"; readonly message: string };
