import type { Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** What a closed connection still says. */
const ignore = () => {};

const dial = NodeTransport.prototype.dial;

/**
 * Makes the library keep a listener on each socket. It takes all of them off one that it closes, such
 * as after a wrong password; when the server then resets the connection, Deno 2.9 emits that error
 * all the same, and without a listener it ends the process.
 */
export function keepListening(): void {
  NodeTransport.prototype.dial = async function (address) {
    return kept(await dial.call(this, address));
  };
}

function kept(socket: Socket): Socket {
  const removeAll = socket.removeAllListeners;
  // By how many it was called with it knows whether one event's are meant, or all.
  socket.removeAllListeners = function (...event: [name?: string | symbol]) {
    event.length === 0 ? removeAll.call(this) : removeAll.call(this, event[0]);
    return listening(this);
  };
  return listening(socket);
}

function listening(socket: Socket): Socket {
  return socket.listeners("error").includes(ignore) ? socket : socket.on("error", ignore);
}
