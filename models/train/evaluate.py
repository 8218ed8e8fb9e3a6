"""Scores a model folder with the judge: `evaluate.py MODEL_FOLDER [NAME]`. Pictures come from generate.mjs (onnxruntime-node).

Prompts are of combinations that training never showed; seeds are fixed. The table goes to stdout and, as JSON, to
WORK_DIR/evaluation/NAME.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import settings
from captions import NEW_STRANGERS, full_caption, say_little
from dataset import generator, picture
from judge import load_judge, read, test, verdict
from scene import draw_scene
from segment import coverage, find_symbol, iou, load_segmenter, symbol
from tokenizer import Tokenizer, write
from train_control import symbol_edges

QUESTIONS = ("subject", "colour", "background", "style", "all", "second shape")
KINDS = {
    "tau alone": lambda s: s.subject == "tau" and s.relation == "alone",
    "tau inside a shape": lambda s: s.relation == "inside",
    "tau beside a shape": lambda s: s.relation == "beside",
    "ring": lambda s: s.subject == "ring",
    "star": lambda s: s.subject == "star",
    "circle, triangle, square": lambda s: s.subject in ("circle", "triangle", "square"),
    **{style: lambda s, style=style: s.style == style for style in ("flat", "neon", "outlined", "metallic", "stone")},
}


def asked(count, strangers=None):
    """(scene, prompt) of held-out combinations."""
    rows = []
    for i in range(count):
        rng = generator("evaluation", i)
        scene = draw_scene(rng)
        while not scene.held_out:
            scene = draw_scene(rng)
        rows.append((scene, full_caption(scene, rng, strangers)))
    return rows


def loose(count):
    """Prompts that leave everything open: bare names, praise, words never seen. All of them must give a lone tau."""
    rows = ["tau symbol", "a tau symbol", "tau", "", "Tau symbol!", "A beautiful tau symbol, 4k, highly detailed", "a dragon", "zxqw"]
    for i in range(count - len(rows)):
        rng = generator("evaluation", 100_000 + i)
        rows.append(say_little(rng, NEW_STRANGERS))
    return rows


class Prompter:
    """Requests for generate.mjs, in the tokens of the model that is judged."""

    def __init__(self, folder):
        self.one, self.two = Tokenizer(folder / "tokenizer"), Tokenizer(folder / "tokenizer_2")

    def pad(self, row, filler):
        return row + [filler] * (settings.TOKENS - len(row))

    def ids(self, text):
        return self.pad(self.one.encode(text), self.one.end), self.pad(self.two.encode(text), self.two.bang)

    def request(self, prompt, seed, width=256, height=256, **more):
        ids, ids_two = self.ids(prompt)
        empty, empty_two = self.ids("")
        return dict(prompt=prompt, ids=ids, ids_two=ids_two, empty=empty, empty_two=empty_two, seed=seed, width=width, height=height, **more)


def generate(folder, requests, out, variant="fp32"):
    """uint8[height, width, 3] for every request. Pictures that the same files made for the same requests are kept."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = fingerprint(folder, requests, variant)
    made = out / "made.txt"
    if not made.exists() or made.read_text() != wanted:
        write(out / "requests.json", requests, indent=None)
        subprocess.run(["node", settings.HERE / "generate.mjs", folder, out / "requests.json", out, variant], check=True)
        made.write_text(wanted)
    return [np.fromfile(out / f"{i:06d}.rgb", np.uint8).reshape(r["height"], r["width"], 3) for i, r in enumerate(requests)]


def fingerprint(folder, requests, variant):
    digest = hashlib.sha256(f"{variant} {json.dumps(requests)}".encode())
    for file in sorted([*folder.glob("*/model.onnx"), folder / "scheduler/scheduler_config.json"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def shares(verdicts, questions=QUESTIONS):
    return {question: round(float(np.mean([v[question] for v in verdicts])), 4) for question in questions}


def squares(image):
    """The judge looks at squares. In a long picture the subject may stand off the middle, so it gets three to look at."""
    height, width, _ = image.shape
    side, spare = min(height, width), abs(height - width)
    starts = (0,) if spare == 0 else (spare // 4, spare // 2, 3 * spare // 4)
    return [image[s : s + side] if height > width else image[:, s : s + side] for s in starts]


def best_verdict(judge, scene, image):
    """The verdict on the square that shows most of what was asked for."""
    return max((verdict(scene, seen) for seen in read(judge, squares(image))), key=lambda v: sum(v.values()))


def score(judge, scenes, images):
    """Overall shares and, per kind, the share that is right in everything (second shape included)."""
    verdicts = [best_verdict(judge, scene, image) for scene, image in zip(scenes, images)]
    kinds = {}
    for kind, member in KINDS.items():
        right = [v["all"] and v["second shape"] for scene, v in zip(scenes, verdicts) if member(scene)]
        if right:
            kinds[kind] = dict(right=round(float(np.mean(right)), 4), pictures=len(right))
    return dict(overall=shares(verdicts), kinds=kinds)


def diversity(images):
    """Mean absolute difference between the pictures of one prompt, in [0, 1]."""
    flat = np.stack([image.reshape(-1) for image in images]).astype(np.float32) / 255
    pairs = [np.abs(flat[i] - flat[j]).mean() for i in range(len(flat)) for j in range(i)]
    return float(np.mean(pairs))


def psnr(a, b):
    """dB, for values in [-1, 1]."""
    return 10 * torch.log10(4 / (a - b).square().mean((1, 2, 3)))


@torch.no_grad()
def vae_psnr(count=500):
    """Mean PSNR of reconstructions of held-out renders."""
    from latents import load_vae
    from train_vae import to_tensor

    vae = load_vae()
    images = to_tensor(np.stack([picture("evaluation", 200_000 + i)[1] for i in range(count)]))
    return float(torch.cat([psnr(vae["decoder"](vae["encoder"](x)).clamp(-1, 1), x) for x in images.split(50)]).mean())


def evaluate_control(folder, prompter, out, count=200):
    """Does the symbol lie where the edges are, and does scale 0 change nothing?"""
    net, rows = load_segmenter(), []
    for i in range(count):
        scene, _, shape = symbol("control", i)
        edges = out / f"edges_{i:03d}.gray"
        edges.parent.mkdir(parents=True, exist_ok=True)
        symbol_edges(shape, (256, 256)).tofile(edges)
        rows.append((full_caption(scene, generator("control", 100_000 + i)), coverage(shape), str(edges)))
    request = lambda i, scale: prompter.request(rows[i][0], i, edges=rows[i][2], scale=scale)
    guided = generate(folder, [request(i, 1.0) for i in range(count)], out / "guided")
    overlap = iou(find_symbol(net, guided), np.stack([mask for _, mask, _ in rows]))
    unguided = generate(folder, [prompter.request(rows[i][0], i) for i in range(20)], out / "unguided")
    chance = iou(find_symbol(net, unguided), np.stack([mask for _, mask, _ in rows[:20]]))
    zero = generate(folder, [request(i, 0.0) for i in range(20)], out / "zero")
    changed = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(unguided, zero))
    return {
        "mean IoU": round(float(overlap.mean()), 4), "share with IoU >= 0.7": round(float((overlap >= 0.7).mean()), 4),
        "mean IoU without control": round(float(chance.mean()), 4), "largest pixel change at scale 0, of 255": changed,
    }  # fmt: skip


def seconds_a_picture(folder, request, out):
    """The fastest of five, one at a time: what the network costs, with as little of other work in it as can be had."""
    times = []
    for i in range(5):
        generate(folder, [{**request, "seed": i}], out / str(i))
        times.append(json.loads((out / str(i) / "seconds.json").read_text())["seconds"])
    return round(min(times), 2)


def evaluate(folder, name, ours, count=500):
    out = settings.WORK_DIR / "evaluation" / name
    judge, prompter = load_judge(), Prompter(folder)
    rows = asked(count)
    scenes = [scene for scene, _ in rows]
    requests = [prompter.request(prompt, seed) for seed, (_, prompt) in enumerate(rows)]
    images = generate(folder, requests, out / "asked")
    result = dict(asked=score(judge, scenes, images), judge=test(judge))
    calm = loose(60)
    seen = read(judge, generate(folder, [prompter.request(p, 1000 + i) for i, p in enumerate(calm)], out / "loose"))
    result["loose prompts: a lone tau"] = round(float(np.mean([s["subject"] == "tau" and s["relation"] == "alone" for s in seen])), 4)
    same = [prompter.request(prompt, 2000 + seed) for _, prompt in rows[:12] for seed in range(6)]
    groups = generate(folder, same, out / "same")
    result["difference between seeds"] = round(float(np.mean([diversity(groups[i : i + 6]) for i in range(0, len(groups), 6)])), 4)
    for width, height in ((128, 128), (256, 384), (384, 256)) if ours else ():
        part = [prompter.request(prompt, seed, width, height) for seed, (_, prompt) in enumerate(rows[:60])]
        result[f"{width}x{height}"] = score(judge, scenes[:60], generate(folder, part, out / f"{width}x{height}"))["overall"]
    if ours:
        half = generate(folder, requests[:40], out / "half", variant="fp16")
        apart = [np.abs(a.astype(int) - b).mean() / 255 for a, b in zip(images, half)]
        result["float16 against float32"] = dict(mean=round(float(np.mean(apart)), 5), largest=round(float(np.max(apart)), 5))
        result["autoencoder PSNR"] = round(vae_psnr(), 2)
    if (folder / "controlnet/model.onnx").exists():
        result["control"] = evaluate_control(folder, prompter, out / "control")
    result["seconds a picture"] = seconds_a_picture(folder, requests[0], out / "pace")
    write(out / "result.json", result)
    return result


if __name__ == "__main__":
    torch.set_num_threads(settings.THREADS)
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else settings.MODEL_DIR
    name = sys.argv[2] if len(sys.argv) > 2 else "tau-tiny"
    print(json.dumps(evaluate(folder, name, ours=name != "prototype"), indent=2))
