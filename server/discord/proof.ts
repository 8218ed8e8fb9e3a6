import { message, type MessageBody } from "./messages.ts";
import type { MadeImage } from "./orders.ts";
import type { MessageFile } from "./rest.ts";

/** A receipt as a file, and where its steps are checked. @param pages where the pages are. */
export function proofMessage(
  { id, receipt, token, miner }: MadeImage,
  pages: string | undefined,
): { readonly body: MessageBody; readonly file: MessageFile } {
  const bytes = new TextEncoder().encode(JSON.stringify(receipt, null, 2));
  const file = { name: `receipt-${id.slice(0, 12)}.json`, type: "application/json", bytes };
  const check = pages !== undefined && miner !== undefined && token !== undefined
    ? `Check its steps: <${pages.replace(/\/*$/, "/")}#/verify?${new URLSearchParams({
      miner,
      id,
      token,
    })}>`
    : "Its signature: /verify with this file. Its steps: `deno task verify`.";
  const text = `Receipt ${id}, signed by the miner.\n${check}`;
  return { body: message(text), file };
}
