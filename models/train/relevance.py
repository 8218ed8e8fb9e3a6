"""How well a picture fits a prompt: a small pair of encoders, of pictures and of prompts, whose embeddings are near where both fit.

    python3 relevance.py           # renders, trains, fits the score's curve, tests, exports; resumes where it stopped

Each step shows a batch of pictures with their captions, and of every picture a few captions in which one thing is wrong:
without these it would learn the background and the colour, which tell most pairs apart.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import layers
import settings
from captions import caption, full_caption
from dataset import generator, picture
from judge import to_image
from layers import Conv
from scene import BACKGROUNDS, COLOURS, METALS, STYLES, SUBJECTS, draw_scene, pick, pick_colour
from text import TextEncoder, pad
from tokenizer import Tokenizer
from training import Run, cpu_compute_type, load_averaged

SIZE, WIDTH = settings.RELEVANCE_SIZE, settings.RELEVANCE_WIDTH
TO = Path(settings.HERE.parent / "relevance")
WRONG = 2  # captions with one thing wrong, of every picture


class ImageEncoder(nn.Module):
    """float[B, 3, 64, 64] in [-1, 1] -> float[B, 64], of unit length"""

    def __init__(self, widths=(32, 64, 96, 128)):
        super().__init__()
        blocks, last = [], 3
        for width in widths:
            blocks += [Conv(last, width, stride=2), nn.GroupNorm(8, width), nn.SiLU(), Conv(width, width), nn.GroupNorm(8, width), nn.SiLU()]
            last = width
        self.net = nn.ModuleList(blocks)
        self.hidden, self.out = nn.Linear(last * 16, 160), nn.Linear(160, WIDTH)

    def forward(self, image):
        x = image
        for layer in self.net:
            x = layer(x).float() if isinstance(layer, Conv) else layer(x)
        return F.normalize(self.out(F.silu(self.hidden(x.flatten(1)))), dim=-1)


class Encoders(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.image = ImageEncoder()
        self.text = TextEncoder(vocabulary, **settings.RELEVANCE_TEXT)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))

    def prompt(self, ids):
        """ids[B, S] -> float[B, 64], of unit length"""
        return F.normalize(self.text(ids)[1], dim=-1)


def look(image):
    """uint8[H, W, 3] -> uint8[64, 64, 3]: the middle square, averaged."""
    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return np.asarray(Image.fromarray(image[top : top + side, left : left + side]).resize((SIZE, SIZE), Image.BOX))


def load_set(name, count, held_out):
    """(scenes, uint8[count, 64, 64, 3]), rendered once."""
    path = settings.WORK_DIR / f"{name}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        np.save(path, np.stack([look(picture(name, i, held_out=held_out)[1]) for i in range(count)]))
    return [drawn(name, i, held_out) for i in range(count)], np.load(path)


def drawn(name, index, held_out):
    rng = generator(name, index)
    scene = draw_scene(rng)
    while scene.held_out != held_out:
        scene = draw_scene(rng)
    return scene


def with_one_wrong(scene, rng):
    """The scene with one thing changed, that a caption which says everything would say."""
    kinds = ["surface", "background", "subject", "style"] + ["other"] * (scene.relation != "alone")
    return CHANGES[pick(rng, kinds)](scene, rng)


def wrong_surface(scene, rng):
    if scene.style == "stone":
        return replace(scene, style="metallic", surface=pick(rng, METALS))
    if scene.style == "metallic":
        return replace(scene, surface=pick(rng, [m for m in METALS if m != scene.surface]))
    return replace(scene, surface=pick_colour(rng, (scene.surface,)))


def wrong_background(scene, rng):
    if scene.ground and rng.random() < 0.5:
        return replace(scene, ground=pick_colour(rng, (scene.ground, scene.ground2)))
    other = pick(rng, [b for b in BACKGROUNDS if b not in (scene.background, "checker", "plain")])
    return replace(scene, background=other, ground="", ground2="")


def wrong_subject(scene, rng):
    if scene.relation != "alone":  # of two shapes one is left out
        return replace(scene, relation="alone", other="", other_colour="", side="")
    return replace(scene, subject=pick(rng, [s for s in SUBJECTS if s != scene.subject]))


def wrong_style(scene, rng):
    style = pick(rng, [s for s in STYLES if s not in (scene.style, "flat")])
    surface = {"metallic": pick(rng, METALS), "stone": "stone"}.get(style)
    return replace(scene, style=style, surface=surface or (scene.surface if scene.surface in COLOURS else pick(rng, list(COLOURS))))


def wrong_other(scene, rng):
    return replace(scene, other_colour=pick_colour(rng, (scene.other_colour,)))


CHANGES = dict(surface=wrong_surface, background=wrong_background, subject=wrong_subject, style=wrong_style, other=wrong_other)


def worn(image):
    """Blur, noise, shifts and a change of brightness: generated pictures are not as crisp as renders."""
    shift = torch.randint(-3, 4, (2,)).tolist()
    image = torch.roll(F.pad(image, (4, 4, 4, 4), mode="replicate"), shift, (2, 3))[:, :, 4:-4, 4:-4]
    if torch.rand(()) < 0.3:
        image = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
    image = image * (1 + 0.08 * torch.randn(len(image), 1, 1, 1)) + 0.04 * torch.randn(len(image), 3, 1, 1)
    return (image + torch.randn_like(image) * 0.08 * torch.rand(len(image), 1, 1, 1)).clamp(-1, 1)


def loss_of(encoders, pictures, scenes, tokenizer, rng):
    """Each picture's caption among those of the others and wrong ones of its own; each caption's picture among the others."""
    say = lambda scene: caption(scene, rng) if rng.random() < 0.35 else full_caption(scene, rng)
    right = [say(scene) for scene in scenes]
    wrong = [full_caption(with_one_wrong(scene, rng), rng) for scene in scenes for _ in range(WRONG)]
    ids = pad([tokenizer.encode(text) for text in right + wrong], tokenizer.end)
    image, text = encoders.image(worn(to_image(pictures))), encoders.prompt(ids)
    n, scale = len(scenes), encoders.log_scale.exp().clamp(max=50)
    among = image @ text[:n].T
    own = torch.einsum("bd,bwd->bw", image, text[n:].view(n, WRONG, -1))
    answers = torch.arange(n)
    return F.cross_entropy(scale * torch.cat([among, own], 1), answers) + 0.5 * F.cross_entropy(scale * among.T, answers)


def train(tokenizer):
    scenes, pictures = load_set("relevance", settings.RELEVANCE_IMAGES, held_out=False)
    plan = settings.RELEVANCE
    torch.manual_seed(settings.SEED_RELEVANCE)
    encoders = Encoders(len(tokenizer.ids))
    run = Run("relevance", encoders, ema=0.99, weight_decay=2e-2, save_every=100)
    layers.compute_in(cpu_compute_type())
    for step in run.steps(plan["steps"]):
        rng = np.random.default_rng((settings.SEED_RELEVANCE, step))
        torch.manual_seed(step)
        chosen = rng.choice(len(pictures), plan["batch"], replace=False)
        loss = loss_of(encoders, pictures[chosen], [scenes[i] for i in chosen], tokenizer, rng)
        run.update(loss, plan["rate"] * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / plan["steps"])))
    layers.compute_in(torch.float32)


@torch.no_grad()
def cosines(encoders, tokenizer, name):
    """{kind of pair: cosine of each held-out picture with a caption of that kind}"""
    scenes, pictures = load_set(name, settings.RELEVANCE_TESTS, held_out=True)
    rng = np.random.default_rng(settings.SEED_RELEVANCE)
    image = torch.cat([encoders.image(to_image(part)) for part in np.array_split(pictures, 15)])
    others = scenes[1:] + scenes[:1]
    texts = {
        "its own": [full_caption(s, rng) for s in scenes], "as people type it": [caption(s, rng) for s in scenes],
        "another's": [full_caption(s, rng) for s in others],
        **{f"wrong {kind}": [full_caption(change(s, rng), rng) for s in scenes] for kind, change in CHANGES.items() if kind != "other"},
    }  # fmt: skip
    found = {}
    for kind, captions in texts.items():
        text = encoders.prompt(pad([tokenizer.encode(c) for c in captions], tokenizer.end))
        found[kind] = (image * text).sum(-1).double().numpy()
    return found


def fit_curve(found):
    """Logistic curve of the cosine: the chance that a caption is the picture's own, where half are and half have one thing wrong
    or are another's."""
    wrong = np.concatenate([values[i::5] for i, values in enumerate(v for k, v in found.items() if k not in ("its own", "as people type it"))])
    x = np.concatenate([found["its own"], wrong])
    y = np.concatenate([np.ones(len(found["its own"])), np.zeros(len(wrong))])
    weight = np.concatenate([np.full(int(v.sum()), 1 / v.sum()) for v in (y, 1 - y)])
    slope, offset = 1.0, 0.0
    for _ in range(50):  # Newton's method
        p = 1 / (1 + np.exp(-(slope * x + offset)))
        g = np.array([((p - y) * x * weight).sum(), ((p - y) * weight).sum()])
        w = p * (1 - p) * weight
        h = np.array([[(w * x * x).sum(), (w * x).sum()], [(w * x).sum(), w.sum()]]) + 1e-9 * np.eye(2)
        slope, offset = np.array([slope, offset]) - np.linalg.solve(h, g)
    return float(slope), float(offset)


def report(found, slope, offset):
    """Shares of held-out pictures whose own caption is nearer than the other one, and mean scores."""
    own = found["its own"]
    score = {kind: 1 / (1 + np.exp(-(slope * values + offset))) for kind, values in found.items()}
    told = {kind: round(float((own > values).mean()), 4) for kind, values in found.items() if kind != "its own"}
    told["as people type it, against another's"] = round(float((found["as people type it"] > found["another's"]).mean()), 4)
    del told["as people type it"]
    return dict(pairs_told=told, mean_score={kind: round(float(values.mean()), 4) for kind, values in score.items()})


class Prompt(nn.Module):
    def __init__(self, encoders):
        super().__init__()
        self.encoders = encoders

    def forward(self, input_ids):
        return self.encoders.prompt(input_ids)


def export(encoders, tokenizer, curve, facts):
    import onnx  # noqa: F401
    from export import OPSET, save_half
    from tokenizer import save, write

    TO.mkdir(exist_ok=True)
    ids = torch.tensor([[tokenizer.start] + [tokenizer.end] * (settings.TOKENS - 1)] * 2)
    parts = {"image_encoder": (encoders.image, torch.zeros(2, 3, SIZE, SIZE), "pixel_values"), "text_encoder": (Prompt(encoders), ids, "input_ids")}
    for name, (module, example, into) in parts.items():
        path = settings.WORK_DIR / "relevance_export" / name / "model.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.onnx.export(module.eval(), (example,), path, input_names=[into], output_names=["embedding"], dynamo=False,
                          dynamic_axes={into: {0: "batch_size"}, "embedding": {0: "batch_size"}}, opset_version=OPSET)  # fmt: skip
        save_half(path)
        (TO / name).mkdir(exist_ok=True)
        (TO / name / "model.onnx").write_bytes(path.with_suffix(".fp16.onnx").read_bytes())
    save_tokenizer(TO / "tokenizer")
    write(TO / "relevance.json", dict(size=SIZE, width=WIDTH, slope=round(curve[0], 5), offset=round(curve[1], 5), heldOut=facts))


def save_tokenizer(folder):
    """tau-tiny's own, as it is."""
    folder.mkdir(exist_ok=True)
    for file in (settings.MODEL_DIR / "tokenizer").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def main():
    torch.set_num_threads(1)
    tokenizer = Tokenizer(settings.MODEL_DIR / "tokenizer")
    train(tokenizer)
    encoders = load_averaged("relevance", Encoders(len(tokenizer.ids)))
    curve = fit_curve(cosines(encoders, tokenizer, "relevance_fit"))
    facts = report(cosines(encoders, tokenizer, "relevance_test"), *curve)
    print(json.dumps(facts, indent=1))
    export(encoders, tokenizer, curve, facts)


if __name__ == "__main__":
    main()
