/** The chain takes any address but this one, which nobody else can reach. */
const REFUSED = "127.0.0.1";

/** An IPv4 address of this machine that the chain takes for an axon. */
export function localAddress(): string {
  const own = Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && address !== REFUSED)
    .map(({ address }) => address);
  return ["127.0.0.2", ...own].find(canListen) ?? "127.0.0.2";
}

function canListen(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
