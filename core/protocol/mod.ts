export {
  type ChromeMessage,
  decodeChromeMessage,
  decodeHostMessage,
  type EngineDefaults,
  type HostMessage,
  type ModelDescription,
} from "./compute_messages.ts";
export { encodeFrames, type Frame, FrameReader } from "./frame.ts";
