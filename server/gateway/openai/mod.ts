/** The interface that clients of OpenAI's images speak. */
export { openAiCallSchema } from "./image_call.ts";
export { OPENAI_SCHEMAS, openAiRoutes } from "./openai_routes.ts";
