/** The Model Context Protocol: tools for agents. */
export { mcpRoutes } from "./routes.ts";
export type { McpParts, VerifiedImage } from "./server.ts";
