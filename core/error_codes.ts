/** What is public about an error code: who can fix it, and how. */
export interface ErrorFacts {
  /**
   * Who is to blame, as a rule: the caller, a miner, this machine's operator, what lies between two
   * machines, or Stepwise itself. `nobody`: it is a matter of time, or was wanted.
   */
  readonly blame: "caller" | "miner" | "operator" | "network" | "us" | "nobody";
  /** Of an HTTP answer; 500 is logged as our own mistake. */
  readonly status: number;
  /** What to do, as a sentence. */
  readonly remedy: string;
  /** Which part of a miner's evidence is refused by it, where it is thrown while that is read. */
  readonly evidence?: "receipt" | "opening";
  /** Whether a miner's answer proves by it that it is not what was asked for, or signed. */
  readonly forgery?: true;
}

/** Every error code, and all that depends on the code alone. */
export const ERROR_CODES = {
  invalid_request: {
    ...{ blame: "caller", status: 400, evidence: "receipt" },
    remedy: "Change the field that the message names; it says which values are taken.",
  },
  invalid_config: {
    ...{ blame: "caller", status: 400, evidence: "receipt" },
    remedy: "Correct the scheduler's configuration, in the request or in the model's folder.",
  },
  unsupported_setting: {
    ...{ blame: "caller", status: 400, evidence: "receipt" },
    remedy: "Leave the setting out, or choose another scheduler; its steps could not be checked.",
  },
  content_blocked: {
    ...{ blame: "caller", status: 400 },
    remedy: "Ask for something else: this service does not make what the message names.",
  },
  shape_mismatch: {
    ...{ blame: "us", status: 500, evidence: "opening" },
    remedy: "Check that the model's files belong together; if they do, report it as a bug.",
  },
  model_not_found: {
    ...{ blame: "operator", status: 500 },
    remedy: "Check the model's name or folder, and that its files are there.",
  },
  model_invalid: {
    ...{ blame: "operator", status: 500 },
    remedy: "Fetch or export the model again; the message names the file that is wrong.",
  },
  download_failed: {
    ...{ blame: "network", status: 500 },
    remedy: "Check the connection and the address, then try again: a download is resumed.",
  },
  storage_failed: {
    ...{ blame: "operator", status: 500 },
    remedy: "Free space on the disk, or give this user the right to read and write the path.",
  },
  host_unavailable: {
    ...{ blame: "operator", status: 500 },
    remedy: "Choose another way to compute, or start what the message names.",
  },
  host_failed: {
    ...{ blame: "us", status: 500 },
    remedy: "Try again; if it comes back, report it with the log.",
  },
  gpu_failed: {
    ...{ blame: "operator", status: 500 },
    remedy: "Ask for a smaller image, update the graphics driver, or compute on the CPU.",
  },
  device_lost: {
    ...{ blame: "operator", status: 500 },
    remedy: "Try again; if it comes back, update the graphics driver or free its memory.",
  },
  inference_failed: {
    ...{ blame: "us", status: 500 },
    remedy: "Check that the model's files are whole and memory is left; if so, report it as a bug.",
  },
  encoding_failed: {
    ...{ blame: "us", status: 500, evidence: "receipt" },
    remedy: "Use a file of the format and size that the message names.",
  },
  json_invalid: {
    ...{ blame: "caller", status: 400 },
    remedy: "Send JSON in UTF-8.",
  },
  address_invalid: {
    ...{ blame: "caller", status: 400 },
    remedy: "Copy the SS58 address again: its checksum does not hold.",
  },
  transcript_invalid: {
    ...{ blame: "operator", status: 500, evidence: "opening" },
    remedy: "Make the image again: the transcript's file is damaged or incomplete.",
  },
  not_found: {
    ...{ blame: "caller", status: 404 },
    remedy: "Look the route up in /openapi.json.",
  },
  method_not_allowed: {
    ...{ blame: "caller", status: 405 },
    remedy: "Use a method that the header allow names.",
  },
  not_acceptable: {
    ...{ blame: "caller", status: 406 },
    remedy: "Accept one of the media types that the message names.",
  },
  transcript_not_found: {
    ...{ blame: "caller", status: 404 },
    remedy: "Check sooner: a miner keeps the steps of an image for some minutes only.",
  },
  receipt_invalid: {
    ...{ blame: "caller", status: 400 },
    remedy: "Use the receipt as the miner sent it, whole and unchanged.",
  },
  receipt_mismatch: {
    ...{ blame: "miner", status: 500, evidence: "receipt", forgery: true },
    remedy: "Do not trust the image: the receipt is of another request, model or file.",
  },
  image_not_canonical: {
    ...{ blame: "miner", status: 500, evidence: "receipt", forgery: true },
    remedy: "Do not trust the image: its file may show or carry something else.",
  },
  signature_invalid: {
    ...{ blame: "caller", status: 401, evidence: "receipt", forgery: true },
    remedy: "Sign with the key of the address that is named, over exactly what is sent.",
  },
  opening_invalid: {
    ...{ blame: "miner", status: 500, evidence: "opening", forgery: true },
    remedy: "Do not trust the image: what the miner sent as a step is not one.",
  },
  opening_mismatch: {
    ...{ blame: "miner", status: 500, evidence: "opening" },
    remedy: "Do not trust the image: the miner opened another step or another receipt's.",
  },
  opening_withheld: {
    ...{ blame: "miner", status: 500, evidence: "opening" },
    remedy: "Try again, soon: the miner did not send the step, which proves nothing yet.",
  },
  proof_invalid: {
    ...{ blame: "miner", status: 500, evidence: "opening" },
    remedy: "Do not trust the image: the step is not the one that the receipt commits to.",
  },
  not_finite: {
    ...{ blame: "caller", status: 400, evidence: "opening" },
    remedy: "Choose another scheduler, more steps or less guidance: values left float16's range.",
  },
  challenge_invalid: {
    ...{ blame: "caller", status: 400 },
    remedy: 'Ask for "start", "end", or a step that the image has, from 0.',
  },
  commit_invalid: {
    ...{ blame: "caller", status: 400 },
    remedy: "Commit again: what was committed cannot be opened by the round that it names.",
  },
  chain_unreachable: {
    ...{ blame: "network", status: 500 },
    remedy: "Check the network's name or the chain's endpoint; lost connections come back alone.",
  },
  chain_invalid: {
    ...{ blame: "operator", status: 500 },
    remedy: "Use a chain whose runtime has what the message names, such as bittensor's.",
  },
  chain_refused: {
    ...{ blame: "operator", status: 500 },
    remedy: "Do what the message says; it quotes the chain's own error.",
  },
  clock_wrong: {
    ...{ blame: "operator", status: 500 },
    remedy: "Set this machine's clock by NTP.",
  },
  wallet_not_found: {
    ...{ blame: "operator", status: 500 },
    remedy: "Name the wallet and hotkey as btcli does, or make one.",
  },
  wallet_invalid: {
    ...{ blame: "operator", status: 500 },
    remedy: "Restore the key file from its mnemonic, or give the right password.",
  },
  not_registered: {
    ...{ blame: "operator", status: 500 },
    remedy: "Register the hotkey on the subnet first.",
  },
  address_in_use: {
    ...{ blame: "operator", status: 500 },
    remedy: "Stop what uses the port, or choose another.",
  },
  request_unsigned: {
    ...{ blame: "caller", status: 401 },
    remedy: "Send an API key, or the headers of Epistula's version 2.",
  },
  request_stale: {
    ...{ blame: "caller", status: 401 },
    remedy: "Set both clocks by NTP, and sign right before sending.",
  },
  request_replayed: {
    ...{ blame: "caller", status: 401 },
    remedy: "Sign every request again, with a new uuid.",
  },
  request_too_large: {
    ...{ blame: "caller", status: 413 },
    remedy: "Send less; the message says how much is taken.",
  },
  request_late: {
    ...{ blame: "caller", status: 408 },
    remedy: "Send the body at once; a slow connection may need a smaller one.",
  },
  not_allowed: {
    ...{ blame: "caller", status: 403 },
    remedy: "Ask the operator to let this key in, or use another.",
  },
  queue_full: {
    ...{ blame: "nobody", status: 429 },
    remedy: "Try again after the seconds of the header retry-after.",
  },
  rate_limited: {
    ...{ blame: "caller", status: 429 },
    remedy: "Ask less often; the header retry-after says when there is room.",
  },
  not_ready: {
    ...{ blame: "nobody", status: 503 },
    remedy: "Try again after the seconds of the header retry-after.",
  },
  cluster_unavailable: {
    ...{ blame: "operator", status: 500 },
    remedy:
      "Start the NATS servers that the message names, with JetStream, and check the way there.",
  },
  miner_failed: {
    ...{ blame: "miner", status: 500 },
    remedy: "Try again: another miner is asked.",
  },
  no_miner: {
    ...{ blame: "nobody", status: 503 },
    remedy: "Try again after the seconds of the header retry-after.",
  },
  job_not_found: {
    ...{ blame: "caller", status: 404 },
    remedy:
      "Check the job's id and the key: jobs are their key's alone, and kept for some days only.",
  },
  idempotency_conflict: {
    ...{ blame: "caller", status: 409 },
    remedy: "Send another Idempotency-Key with another job; the same one repeats the same job.",
  },
  cancelled: {
    ...{ blame: "nobody", status: 409 },
    remedy: "Do nothing: it was cancelled.",
  },
} as const satisfies Readonly<Record<string, ErrorFacts>>;

/** What can go wrong, as a stable code that callers, logs, tests and the wire match. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether it is one of ours, for codes that come over the wire. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}

/** The facts of a code. */
export function errorFacts(code: ErrorCode): ErrorFacts {
  return ERROR_CODES[code];
}
