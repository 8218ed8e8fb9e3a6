import { type Place, problem } from "../state/mod.ts";

/** An error, next to the control that caused it. */
export function ProblemView({ at }: { readonly at: Place }) {
  // What a screen reader announces on a change has to be there before.
  return (
    <div class="problem" role="alert">
      {problem.value?.at === at && (
        <>
          <p>{problem.value.text}</p>
          <button type="button" onClick={() => problem.value = undefined}>Close</button>
        </>
      )}
    </div>
  );
}
