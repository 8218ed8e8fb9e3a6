/**
 * The room where images are made: by this browser or by a subnet's miners, kept in a gallery.
 */
export { CreateView } from "./create_view.tsx";
