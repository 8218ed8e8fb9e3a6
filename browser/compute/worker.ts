import { reason } from "../../core/error.ts";
import type { Gpu } from "../../core/gpu/mod.ts";
import {
  decodeEngineOrder,
  encodeFrames,
  type EngineAnswer,
  EngineServer,
  FrameReader,
} from "../../core/remote/mod.ts";
import { Pipeline } from "../../core/generation/mod.ts";
import { browserRuntime, HttpFiles, openGpu } from "../engine/mod.ts";

const socket = await openSocket(`ws://${location.host}/socket?token=${self.name}`);
const send = (message: EngineAnswer, ...parts: readonly ArrayBufferView[]) => {
  for (const frame of encodeFrames(message, parts)) socket.send(frame);
};
// Without a host there is nothing to compute for.
socket.addEventListener("close", () => self.close());

try {
  await serve(await openGpu());
} catch (error) {
  send({ type: "hello", problem: reason(error) });
}

async function serve(gpu: Gpu): Promise<void> {
  const reader = new FrameReader();
  const runtime = await browserRuntime(gpu);
  const engines = new EngineServer(
    (model, options) => Pipeline.open(new HttpFiles(model), runtime, options),
    send,
  );
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
    const frame = reader.take(data);
    if (frame) void engines.take(decodeEngineOrder(frame.message), frame.payload);
  });
  void gpu.lost.then(({ message }) => send({ type: "lost", reason: message }));
  send({ type: "hello", device: { name: gpu.name, software: gpu.adapterClass !== "hardware" } });
}

async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("The host's socket is closed")), {
      once: true,
    });
  });
  return socket;
}
