import { AppError } from "../../core/error.ts";
import { type HttpServer, serve } from "../runtime/mod.ts";

/** @throws AppError `address_in_use`. */
export function listen(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  handler: (request: Request) => Response | Promise<Response>,
): HttpServer {
  try {
    return serve({ hostname, port }, handler);
  } catch (cause) {
    throw new AppError(
      "address_in_use",
      `Cannot serve: port ${port} of ${hostname} is taken or not allowed; --axon.port gives another`,
      { cause },
    );
  }
}
