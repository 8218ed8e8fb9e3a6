export { buildCommand, webCommand } from "./command.ts";
export { buildSite } from "./build_site.ts";
export { SITE_FOLDER, siteFile } from "./site_files.ts";
