/** The room that shows a subnet, as a validator measures it. */
export { ExploreView } from "./explore_view.tsx";
