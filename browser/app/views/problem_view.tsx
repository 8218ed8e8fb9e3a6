import { problem } from "../state/mod.ts";

/** What could not be done, where it is seen wherever one has scrolled to. */
export function ProblemView() {
  return (
    <div class="problems" role="alert">
      {problem.value !== "" && (
        <>
          <p>{problem.value}</p>
          <button type="button" onClick={() => problem.value = ""}>Close</button>
        </>
      )}
    </div>
  );
}
