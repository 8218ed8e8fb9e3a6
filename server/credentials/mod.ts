/**
 * Content credentials: what a reader of C2PA is told of an image, signed by its operator's certificate.
 * That a trained model made it, by which receipt, and the root of what that commits to.
 */
export { ContentCredentials, type ReceiptFacts } from "./content_credentials.ts";
