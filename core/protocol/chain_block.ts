import { z } from "zod";
import { AppError, reason } from "../error.ts";
import { parseJsonText } from "../json_text.ts";

const rpcAnswer = z.object({ id: z.int(), result: z.unknown().optional() });
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
const header = z.object({ number: z.string().regex(/^0x[0-9a-f]{1,8}$/) });

/**
 * The hash of a block, once it is final, from a node of the chain that the reader names.
 * @param node its address: `ws://` or `wss://`.
 * @returns lower-case hex, without 0x.
 * @throws AppError `chain_unreachable` without an answer in time, `chain_invalid` for an answer that
 * is none, `challenge_invalid` where the block is not final yet.
 */
export async function finalBlockHash(
  node: string,
  number: number,
  timeoutMs: number,
): Promise<string> {
  const socket = await opened(node, timeoutMs);
  try {
    const ask = asker(socket, node, timeoutMs);
    const head = hash.parse(await ask("chain_getFinalizedHead", []));
    const last = Number(header.parse(await ask("chain_getHeader", [head])).number);
    if (last < number) {
      throw new AppError(
        "challenge_invalid",
        `Cannot draw steps: block ${number} is not final yet, the last one is ${last}`,
      );
    }
    return hash.parse(await ask("chain_getBlockHash", [number])).slice(2);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const why = `Cannot read block ${number}: what ${node} answers is invalid`;
    throw new AppError("chain_invalid", why, { cause });
  } finally {
    socket.close();
  }
}

/** @throws AppError `chain_unreachable`. */
async function opened(node: string, timeoutMs: number): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    const socket = new WebSocket(node);
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("it does not answer")));
    await within(promise, timeoutMs);
    return socket;
  } catch (cause) {
    throw unreachable(node, cause);
  }
}

/** One question after the other, as JSON-RPC. */
function asker(socket: WebSocket, node: string, timeoutMs: number) {
  let last = 0;
  return async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const id = ++last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    socket.addEventListener("message", ({ data }) => {
      try {
        const answer = rpcAnswer.parse(parseJsonText(String(data)));
        if (answer.id === id) resolve(answer.result);
      } catch (error) {
        reject(error);
      }
    });
    socket.addEventListener("close", () => reject(unreachable(node, new Error("it hung up"))));
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return await within(promise, timeoutMs).catch((error) => {
      throw error instanceof Late ? unreachable(node, error) : error;
    });
  };
}

class Late extends Error {}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Late(`it took ${timeoutMs / 1000} s`)), timeoutMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(node: string, cause: unknown): AppError {
  const why = `Cannot read a block: the chain's node ${node} is not there (${reason(cause)})`;
  return new AppError("chain_unreachable", why, { cause });
}
