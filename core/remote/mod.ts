/**
 * An engine at the other end of a channel: the orders and answers, the desk that carries orders out
 * there, and the engine that stands for it here. A driven Chrome and a thread both are such ends.
 *
 * ```ts
 * import { encodeFrames, FrameReader } from "./mod.ts";
 *
 * const [frame] = encodeFrames({ type: "cancel", job: 7 });
 * const { message } = new FrameReader().take(frame.buffer) ?? {};
 * console.assert(JSON.stringify(message) === `{"type":"cancel","job":7}`);
 * ```
 */
export { EngineCalls } from "./engine_calls.ts";
export { EngineDesk } from "./engine_desk.ts";
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
