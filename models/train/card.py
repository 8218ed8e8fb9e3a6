"""The model card, with the figures of the last evaluation: `card.py MODEL_FOLDER`."""

import json
import sys
from pathlib import Path

import settings
from captions import METAL_WORDS, PLACES, STONE_WORDS, STYLE_WORDS
from scene import COLOURS, SUBJECTS

# The least shares asked for when the model was ordered.
BARS = dict(subject=0.97, colour=0.95, background=0.95, style=0.85, all=0.80)
WEAK = ("tau beside a shape", "ring", "star", "outlined", "stone")
WEAK_BAR = 0.75

TEXT = """# tau-tiny

A text-to-image model of {megabytes:.1f} MB that draws tau symbols, and a few other shapes, at 256x256. It has SDXL's interface in
diffusers-ONNX layout (two text encoders, UNet with pooled text and size conditioning, autoencoder), so whatever runs SDXL runs it.
It is what Stepwise shows first, tests with, and checks in a browser tab. It is no general model: it knows the words below.

![samples](samples.png)

## What it draws

{vocabulary}

Other words do no harm ("4k", "beautiful", words it never saw), commas and a changed order are fine, and a bare "tau symbol" or an
unknown word gives a lone tau. 256x256 is what it is trained for; 128x128, 256x384 and 384x256 were trained with it.
Twenty steps of the solver in `scheduler/` with guidance 5 are a good setting.

## Files

Each part comes as `model.onnx` (float32) and `model.fp16.onnx` (weights in float16, about half the bytes; inputs, outputs and arithmetic stay
float32, so it runs wherever the other does). `vae_decoder/config.json` has `latent_preview`: `rgb = bias + factors^T z`, in [-1, 1], from the
four channels of a latent in the units that the UNet sees. `controlnet/` takes canny edges of the wanted symbol (`controlnet_cond`, 0 or 1 in three
channels, and `conditioning_scale`) and returns four residuals under the names by which `unet_controlnet/` takes them.

| part | float32 bytes | float16 bytes |
|---|---|---|
{files}

## Quality

500 prompts of combinations (subject, colour or material, style, background) that training never showed; 20 steps, guidance 5, fixed seeds.
The judge is a classifier trained on renders alone, {judge_low:.1%} to {judge_high:.1%} right on 2,000 renders that it never saw. The prototype is the
sketch that this model replaces, given the same prompts, seeds and steps; it was trained on drawings of another hand with much the same words.

| share right | tau-tiny | asked for | prototype |
|---|---|---|---|
{shares}

| everything right, second shape included | tau-tiny | asked for | prototype | pictures |
|---|---|---|---|---|
{kinds}

| other figures | tau-tiny | asked for | prototype |
|---|---|---|---|
{others}

"Background" includes the colours of a plain or checkered ground. In long pictures the judge sees three squares and the best one counts. {speed}

Each exported part against torch, on the same inputs (`models/train/check_onnx.mjs`, which fails when a float32 value is off by more
than torch's own `assert_close` allows: 1e-5, and 1.3e-6 of the value):

```
{check}
```

## Data and training

Renders only, by `models/train/render.py`: {pictures:,} pictures with captions drawn anew at each use; no photograph, no third party's picture or
weights. Trained from nothing on two CPU cores with `models/train/run.sh` (under two hours with AMX), which also says how each figure here was made.

Weak points: edges are softer than a vector drawing's; textures and small detail (stars, traces, tree tops) are suggested more than drawn; an
empty prompt has nothing to be guided by and is the least clean.

## Licence

MIT, as the repository.
"""


def listing(words):
    return ", ".join(dict.fromkeys(word for word in words if word))


def vocabulary():
    scenery = "; ".join(f"{name}: {listing(words)}" for name, words in PLACES.items())
    return "\n".join((
        f"- subjects: {listing(('tau symbol', *SUBJECTS[1:]))}; a tau inside a coloured circle, ring or square, or beside one of the shapes",
        f"- colours: {listing(COLOURS)}",
        f"- styles: flat ({listing(STYLE_WORDS['flat'])}), neon ({listing(STYLE_WORDS['neon'])}), outlined ({listing(STYLE_WORDS['outlined'])})",
        f"- materials: {listing(w for words in METAL_WORDS.values() for w in words)}; {listing(STONE_WORDS)}",
        "- backgrounds: any of the colours; a checkerboard of two colours; " + scenery,
    ))  # fmt: skip


def percent(value):
    return "" if value is None else f"{value:.1%}"


def figure(result, *keys):
    """What a result says under these keys; None where there is no result."""
    for key in keys:
        result = None if result is None else result[key]
    return result


def row(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def file_rows(folder):
    parts = ("text_encoder", "text_encoder_2", "unet", "vae_decoder", "vae_encoder", "controlnet", "unet_controlnet")
    size = lambda part, file: (folder / part / file).stat().st_size
    here = [part for part in parts if (folder / part / "model.onnx").exists()]
    return [row(part, f"{size(part, 'model.onnx'):,}", f"{size(part, 'model.fp16.onnx'):,}") for part in here]


def other_rows(ours, theirs):
    same = lambda key, bar="": row(key, percent(ours[key]), bar, percent(figure(theirs, key)))
    rows = [
        same("loose prompts: a lone tau"),
        row("mean difference between seeds of one prompt, of 1", ours["difference between seeds"], "", figure(theirs, "difference between seeds") or ""),
        row("autoencoder, PSNR on held-out renders", f"{ours['autoencoder PSNR']} dB", "27 dB", ""),
    ]
    for size in ("128x128", "256x384", "384x256"):
        rows.append(row(f"{size}: subject, colour, background, style, all (60 prompts)", ", ".join(f"{ours[size][k]:.0%}" for k in BARS), "", ""))
    half = ours["float16 against float32"]
    rows.append(row("float16 against float32: mean and largest mean difference of a picture, of 1", f"{half['mean']}, {half['largest']}", "", ""))
    if "control" in ours:
        c = ours["control"]
        rows.append(row("control, scale 1: mean IoU of symbol and edges, 200 pictures (without control)", f"{c['mean IoU']} ({c['mean IoU without control']})", 0.7, ""))
        rows.append(row("control: share of pictures with IoU of 0.7 or more", percent(c["share with IoU >= 0.7"]), "", ""))
        rows.append(row("control, scale 0: largest change of a pixel, of 255", c["largest pixel change at scale 0, of 255"], 0, ""))
    return rows


def card(folder):
    results = {path.parent.name: json.loads(path.read_text()) for path in settings.WORK_DIR.glob("evaluation/*/result.json")}
    # The prototype is judged only where its folder is at hand.
    ours, theirs = results["tau-tiny"], results.get("prototype")
    a = ours["asked"]
    judge = [share for question, share in ours["judge"].items() if question != "all"]
    core = [p for p in folder.glob("*/model.onnx") if "controlnet" not in p.parent.name]
    kinds = [
        row(kind, percent(v["right"]), percent(WEAK_BAR if kind in WEAK else None), percent(figure(theirs, "asked", "kinds", kind, "right")), v["pictures"])
        for kind, v in a["kinds"].items()
    ]
    return TEXT.format(
        megabytes=sum(p.stat().st_size for p in core) / 1e6, vocabulary=vocabulary(), files="\n".join(file_rows(folder)),
        check=(settings.WORK_DIR / "check.txt").read_text().strip(), judge_low=min(judge), judge_high=max(judge),
        shares="\n".join(row(q, percent(v), percent(BARS.get(q)), percent(figure(theirs, "asked", "overall", q))) for q, v in a["overall"].items()),
        kinds="\n".join(kinds), others="\n".join(other_rows(ours, theirs)), pictures=sum(settings.DATASET.values()),
        speed=f"One picture of 20 steps takes {ours['seconds a picture']:.2f} s with onnxruntime-node on two cores, loaded and with nothing else running.",
    )  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    (folder / "README.md").write_text(card(folder))
