import studyJson from "../../../models/tau-tiny-adversary.json" with { type: "json" };
import {
  decodeStudy,
  LIMITS,
  studyConditions,
  type StudyPart,
  studyParts,
} from "../../../core/adversary/mod.ts";

const study = decodeStudy(studyJson);

/** What the checks find, and before it what they do not. */
export function StrengthView() {
  return (
    <section>
      <h2>How strong is this?</h2>
      <h3>Limits first</h3>
      <ul>
        {LIMITS.map((limit) => <li key={limit}>{limit}</li>)}
      </ul>
      <p class="faint small">{studyConditions(study)}</p>
      {studyParts(study).map((part) => <Part key={part.title} {...part} />)}
    </section>
  );
}

function Part({ title, words, head, rows }: StudyPart) {
  return (
    <>
      <h3>{title}</h3>
      <p>{words}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={title}>
        <table>
          <thead>
            <tr>{head.map((text) => <th key={text}>{text}</th>)}</tr>
          </thead>
          <tbody>
            {rows.map((row) => <tr key={row[0]}>{row.map((text, k) => <td key={k}>{text}</td>)}
            </tr>)}
          </tbody>
        </table>
      </div>
    </>
  );
}
