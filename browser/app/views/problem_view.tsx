import { type Place, problem } from "../state/mod.ts";

/** What could not be done, beside what asked for it. */
export function ProblemView({ at }: { readonly at: Place }) {
  // What is spoken when it changes has to be there before.
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
