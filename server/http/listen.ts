import { AppError } from "../../core/error.ts";

/** @throws AppError `address_in_use`. */
export function listen(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, handler);
  } catch (cause) {
    throw new AppError(
      "address_in_use",
      `Cannot serve: port ${port} of ${hostname} is taken or not allowed; --axon.port gives another`,
      { cause },
    );
  }
}
