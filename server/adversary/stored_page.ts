import { readFile } from "node:fs/promises";
import { Command } from "commander";
import {
  decodeStudy,
  LIMITS,
  type StoredStudy,
  studyConditions,
  type StudyPart,
  studyParts,
} from "../../core/adversary/mod.ts";
import { AppError, reason } from "../../core/error.ts";
import { checkFree, writeAtomically } from "../storage/mod.ts";
import { PAGE_STYLE } from "./page.ts";
import { STORED_STUDY } from "./summary.ts";

/** `adversary page`: what was found before, without trying anything again. */
export function pageCommand(): Command {
  return new Command("page")
    .description("Draw the page of a study out of its JSON alone, without a model.")
    .option("--from <file>", "that --write left", STORED_STUDY)
    .option("--out <file>", "the page", "how-strong.html")
    .option("--force", "replace a file that is there", false)
    .action(async ({ from, out, force }: Readonly<Record<"from" | "out", string>> & Forced) => {
      await checkFree([out], force);
      const page = storedPage(decodeStudy(await jsonOf(from)));
      await writeAtomically(out, new TextEncoder().encode(page));
      console.log(`The page is in ${out}`);
    });
}

interface Forced {
  readonly force: boolean;
}

async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
}

/** The limits, and then what is found, as a page that needs nothing else. */
export function storedPage(study: StoredStudy): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stepwise: how strong is this?</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<h1>How strong is this?</h1>
<h2>Limits first</h2>
<ul>${LIMITS.map((limit) => `<li>${escaped(limit)}</li>`).join("\n")}</ul>
<p class="faint">${escaped(studyConditions(study))}</p>
${studyParts(study).map(partOf).join("\n")}
</body>
</html>
`;
}

function partOf({ title, words, head, rows }: StudyPart): string {
  const cells = (tag: "th" | "td", texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("")}</tr>`;
  return `<h2>${escaped(title)}</h2>
<p>${escaped(words)}</p>
<div class="wide"><table><thead>${cells("th", head)}</thead><tbody>${
    rows.map((row) => cells("td", row)).join("")
  }</tbody></table></div>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
