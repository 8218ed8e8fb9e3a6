import { AppError } from "../../../core/error.ts";

/** Networks by their btcli names. */
export const NETWORKS = {
  finney: {
    endpoint: "wss://entrypoint-finney.opentensor.ai:443",
    genesis: "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03",
  },
  test: { endpoint: "wss://test.finney.opentensor.ai:443", genesis: undefined },
  local: { endpoint: "ws://127.0.0.1:9944", genesis: undefined },
  devnet: { endpoint: "ws://127.0.0.1:9944", genesis: undefined },
} as const;

export type NetworkName = keyof typeof NETWORKS;

/** @throws AppError `invalid_request`. */
export function parseNetwork(name: string): NetworkName {
  const known = Object.keys(NETWORKS);
  if (known.includes(name)) return name as NetworkName;
  throw new AppError(
    "invalid_request",
    `Cannot connect: --subtensor.network is ${name}, not one of ${known.join(", ")}`,
  );
}

/** @throws AppError `invalid_request` unless it is a WebSocket's address. */
export function parseEndpoint(endpoint: string): string {
  if (URL.canParse(endpoint) && /^wss?:$/.test(new URL(endpoint).protocol)) return endpoint;
  throw new AppError(
    "invalid_request",
    `Cannot connect: --subtensor.chain_endpoint is ${endpoint}, not a ws:// or wss:// address`,
  );
}
