/**
 * An engine at the other end of a channel: the orders and answers, the server that carries
 * them out there, and the engine that represents it here. A driven Chrome and a thread both are such ends.
 *
 * ```ts
 * import { encodeFrames, FrameReader } from "./mod.ts";
 *
 * const [frame] = encodeFrames({ type: "cancel", job: 7 });
 * const { message } = new FrameReader().take(frame.buffer) ?? {};
 * console.assert(JSON.stringify(message) === `{"type":"cancel","job":7}`);
 * ```
 */
export { DescribedFiles, describeFiles } from "./described_files.ts";
export { EngineCalls } from "./engine_calls.ts";
export { EngineServer } from "./engine_server.ts";
export { encodeFrames, FrameReader } from "./frame.ts";
export {
  decodeEngineAnswer,
  decodeEngineOrder,
  type EngineAnswer,
  type EngineOrder,
  type ModelDescription,
} from "./messages.ts";
export { type EngineChannel, RemoteEngine, type ServedModel } from "./remote_engine.ts";
export { RenewedChannel } from "./renewed_channel.ts";
