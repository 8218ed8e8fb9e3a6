import { AppError, reason } from "../../../core/error.ts";

/** The socket closed before the node answered: what the node did is unknown. */
export function isLost(error: unknown): boolean {
  if (error instanceof AppError) return error.code === "chain_unreachable";
  return /disconnected|WebSocket|not connected|No response/i.test(reason(error));
}

/** The error once a read is given up: no answer came, or no valid one. */
export function misread(doing: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const why = reason(cause).slice(0, 200);
  return isLost(cause)
    ? new AppError("chain_unreachable", `Cannot ${doing}: the connection was lost (${why})`, {
      cause,
    })
    : new AppError(
      "chain_invalid",
      `Cannot ${doing}: the chain's answer is not understood (${why})`,
      { cause },
    );
}
