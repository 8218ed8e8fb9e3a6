/** Reports of ended jobs, to the addresses that jobs name. */
export { webhookSecret } from "./signature.ts";
export { DEFAULT_WEBHOOKS, type WebhookOptions, Webhooks } from "./webhooks.ts";
