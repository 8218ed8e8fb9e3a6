import { once } from "node:events";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";

/** The chain refuses only this address, which no other machine can reach. */
const REFUSED = "127.0.0.1";

/** An IPv4 address of this machine that the chain takes for an axon. */
export async function localAddress(): Promise<string> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    .filter(({ family, address }) => family === "IPv4" && address !== REFUSED)
    .map(({ address }) => address);
  for (const address of ["127.0.0.2", ...own]) if (await canListen(address)) return address;
  return "127.0.0.2";
}

async function canListen(host: string): Promise<boolean> {
  const server = createServer().listen({ host, port: 0 });
  try {
    await once(server, "listening");
    server.close();
    return true;
  } catch {
    return false;
  }
}
