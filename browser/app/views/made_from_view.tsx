import { type NamedFile, namedFiles, type Picture, type TabReport } from "../api/mod.ts";
import { check, giveFiles, report } from "../state/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";
import { BlobImage } from "./blob_image.tsx";
import { FileField } from "./file_field.tsx";
import { LineageView } from "./lineage_view.tsx";
import { PictureCanvas } from "./picture_canvas.tsx";
import { ProblemView } from "./problem_view.tsx";
import { Zoomable } from "./zoom.tsx";
import "./inputs.css";

/** What an image was made from, beside it, and whether that is what was signed. */
export function MadeFromView({ stored }: { readonly stored: StoredReceipt }) {
  const named = namedFiles(stored.receipt);
  if (named.length === 0) return null;
  const found = report.value;
  return (
    <section class="made-from">
      <h2>What it was made from</h2>
      <Tiles stored={stored} />
      {found && sourceText(found).map((text) => <p key={text} class="small">{text}</p>)}
      <Missing stored={stored} named={named} />
      <LineageView stored={stored} report={found} />
    </section>
  );
}

interface Tile {
  readonly name: string;
  readonly shown: Picture | Blob;
}

function Tiles({ stored: { receipt, image, inputs = {} } }: { readonly stored: StoredReceipt }) {
  const { request } = receipt;
  const { width, height } = request;
  const pictures = check.value?.sources;
  const blobOf = (sha256: string | undefined) => sha256 === undefined ? undefined : inputs[sha256];
  const controls = request.control ?? [];
  const tiles: readonly { readonly name: string; readonly shown: Picture | Blob | undefined }[] = [
    { name: "The image to start from", shown: pictures?.image ?? blobOf(request.image) },
    { name: "The mask: white is made anew", shown: pictures?.mask ?? blobOf(request.mask) },
    ...controls.flatMap(({ image, scale }, k) => {
      const own = pictures?.controls[k];
      const edges = `The edges to follow, scale ${scale ?? 1}`;
      return [
        {
          name: own?.edges ? "The picture with the edges" : edges,
          shown: own?.image ?? blobOf(image),
        },
        { name: edges, shown: own?.edges },
      ];
    }),
    { name: "The result", shown: image },
  ];
  const there = tiles.filter((tile): tile is Tile => tile.shown !== undefined);
  if (there.every(({ shown }) => shown === image)) return null;
  return (
    <div class="pictures">
      {there.map(({ name, shown }) => (
        <figure key={name}>
          <Zoomable label={name}>
            {shown instanceof Blob
              ? <BlobImage image={shown} label={name} {...{ width, height }} />
              : <PictureCanvas picture={shown} label={name} />}
          </Zoomable>
          <figcaption class="small">{name}</figcaption>
        </figure>
      ))}
    </div>
  );
}

/** In words that claim no more than was compared. */
function sourceText({ source, asked, verdict }: TabReport): string[] {
  if (source === undefined) return [];
  if (source === null) {
    if (verdict === "invalid") return [];
    return [
      asked < 3
        ? "Whether it started from this image was not compared: that is level 3."
        : "Whether it started from this image was not compared: its file is not here.",
    ];
  }
  const { error, tolerance, maskDiffering } = source;
  const off = error === 0
    ? "its start is the same to the last bit"
    : `where they are furthest apart, the two differ by ${percent(error)}, and ${
      percent(tolerance)
    } is ` +
      "allowed";
  const start = error <= tolerance
    ? "It started from this image"
    : "It did not start from this image";
  return [
    `${start}: ${off}.`,
    ...maskDiffering > 0 ? [`Its mask is not this one: ${maskDiffering} values differ.`] : [],
  ];
}

function percent(ratio: number): string {
  return `${Number((100 * ratio).toPrecision(2))} %`;
}

const ROLES: Readonly<Record<NamedFile["role"], string>> = {
  image: "the image that it started from",
  mask: "the mask",
  control: "the picture whose edges it followed",
  lora: "a LoRA that changed the model",
};

/** Files that a check needs and this browser does not have: they are asked for by their hashes. */
function Missing({ stored, named }: {
  readonly stored: StoredReceipt;
  readonly named: readonly NamedFile[];
}) {
  const { inputs = {}, link } = stored;
  const missing = named.filter(({ sha256 }) => !(sha256 in inputs));
  // A miner gives images with the steps: it is asked when the check runs.
  const compared = check.value?.sources;
  const needed = missing.filter(({ role }) =>
    role === "lora" || !link || (check.value && !compared)
  );
  if (needed.length === 0) return <ProblemView at="files" />;
  return (
    <>
      <p class="small">The check needs files that are not here:</p>
      <FileField
        label="Choose them"
        accept=".png,.jpg,.jpeg,.webp,.safetensors"
        multiple
        onFiles={(files) => void giveFiles(files)}
      >
        <ul class="small">
          {needed.map(({ role, sha256 }) => (
            <li key={role + sha256}>
              {ROLES[role]}, SHA-256 <span class="mono">{sha256}</span>
            </li>
          ))}
        </ul>
      </FileField>
      <ProblemView at="files" />
    </>
  );
}
