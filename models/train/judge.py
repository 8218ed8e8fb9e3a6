"""The independent judge: a small classifier that has only ever seen renders, and says what a picture shows.

It shares no weights and no pictures with the model that it judges. It looks at 128x128 pixels.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import layers
import settings
from dataset import generator, picture
from layers import Conv
from scene import BACKGROUNDS, COLOURS, RELATIONS, STYLES, SUBJECTS, SURFACES, draw_scene
from training import Run, cpu_compute_type, load_averaged

SIZE = 128
NONE = ("",)
# What is read off a picture: a field of Scene, and the values that it can have.
HEADS = {
    "subject": SUBJECTS, "surface": SURFACES, "style": STYLES, "background": BACKGROUNDS, "relation": RELATIONS,
    "other": NONE + SUBJECTS[1:], "other_colour": NONE + tuple(COLOURS),
}  # fmt: skip


class Judge(nn.Module):
    """One answer a head, and ten yes or no answers for the colours of a plain or checkered ground."""

    def __init__(self, widths=(24, 48, 96, 160)):
        super().__init__()
        blocks, last = [], 3
        for width in widths:
            blocks += [Conv(last, width, stride=2), nn.BatchNorm2d(width), nn.ReLU(), Conv(width, width), nn.BatchNorm2d(width), nn.ReLU()]
            last = width
        self.net = nn.ModuleList(blocks)
        self.hidden = nn.Linear(last * 16, 256)
        self.heads = nn.ModuleDict({name: nn.Linear(256, len(values)) for name, values in HEADS.items()})
        self.ground = nn.Linear(256, len(COLOURS))

    def forward(self, image):
        """float[B, 3, 128, 128] in [-1, 1] -> {head: logits}"""
        x = image
        for layer in self.net:
            x = layer(x).float() if isinstance(layer, Conv) else layer(x)
        h = F.relu(self.hidden(F.adaptive_avg_pool2d(x, 4).flatten(1)))
        return {**{name: head(h) for name, head in self.heads.items()}, "ground": self.ground(h)}


def small(image):
    """uint8[H, W, 3] -> uint8[128, 128, 3]: the middle square of a picture, at half size if it is 256 wide."""
    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = Image.fromarray(image[top : top + side, left : left + side])
    return np.asarray(crop.resize((SIZE, SIZE), Image.BOX))


def to_image(pictures):
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def targets(scenes):
    answers = {name: torch.tensor([values.index(getattr(s, name)) for s in scenes]) for name, values in HEADS.items()}
    answers["ground"] = torch.tensor([[float(c in (s.ground, s.ground2)) for c in COLOURS] for s in scenes])
    return answers


def load_set(name, count):
    """(scenes, uint8[count, 128, 128, 3]), rendered once."""
    path = settings.WORK_DIR / f"{name}.npy"
    if not path.exists():
        np.save(path, np.stack([small(picture(name, i)[1]) for i in range(count)]))
    return [draw_scene(generator(name, i)) for i in range(count)], np.load(path, mmap_mode="r")


def worn(image):
    """Blur, noise, shifts and a change of brightness, so that the judge looks at what is drawn and not how crisply."""
    shift = torch.randint(-6, 7, (2,)).tolist()
    image = torch.roll(F.pad(image, (8, 8, 8, 8), mode="replicate"), shift, (2, 3))[:, :, 8:-8, 8:-8]
    if torch.rand(()) < 0.5:
        image = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
    image = image * (1 + 0.08 * torch.randn(len(image), 1, 1, 1)) + 0.04 * torch.randn(len(image), 3, 1, 1)
    return image + torch.randn_like(image) * 0.08 * torch.rand(len(image), 1, 1, 1)


def judge_loss(logits, answers):
    colours = F.binary_cross_entropy_with_logits(logits["ground"], answers["ground"])
    return sum(F.cross_entropy(logits[name], answers[name]) for name in HEADS) + 3 * colours


@torch.no_grad()
def read(judge, pictures):
    """uint8 pictures of any size -> list of {field: value}; "ground" is the set of colours seen in it."""
    small_ones = np.stack([small(p) for p in pictures])
    out = []
    for start in range(0, len(small_ones), 100):
        logits = judge(to_image(small_ones[start : start + 100]))
        for i in range(len(logits["ground"])):
            seen = {name: values[int(logits[name][i].argmax())] for name, values in HEADS.items()}
            seen["ground"] = {c for c, v in zip(COLOURS, logits["ground"][i]) if v > 0}
            out.append(seen)
    return out


def verdict(scene, seen):
    """{question: right?}. `background` includes the colours of a plain or checkered ground."""
    ground = {c for c in (scene.ground, scene.ground2) if c}
    answer = dict(
        subject=seen["subject"] == scene.subject and seen["relation"] == scene.relation,
        colour=seen["surface"] == scene.surface,
        background=seen["background"] == scene.background and (not ground or seen["ground"] == ground),
        style=seen["style"] == scene.style,
    )
    answer["all"] = all(answer.values())
    answer["second shape"] = scene.relation == "alone" or (seen["other"] == scene.other and seen["other_colour"] == scene.other_colour)
    return answer


def load_judge():
    """The trained judge. Batch norm's statistics are no weights, so they come from the checkpoint as they are."""
    judge = Judge()
    judge.load_state_dict(torch.load(settings.WORK_DIR / "judge.pt")["net"])
    return load_averaged("judge", judge)


def test(judge):
    """Share of right answers on renders that it never saw: what its verdicts are worth."""
    scenes, pictures = load_set("judge_test", settings.JUDGE_TESTS)
    verdicts = [verdict(scene, seen) for scene, seen in zip(scenes, read(judge, pictures))]
    return {question: float(np.mean([v[question] for v in verdicts])) for question in verdicts[0]}


def main():
    torch.set_num_threads(settings.THREADS)
    torch.manual_seed(settings.SEED_JUDGE)
    scenes, pictures = load_set("judge", settings.JUDGE_IMAGES)
    judge = Judge()
    run = Run("judge", judge, ema=0.99, weight_decay=1e-2)
    layers.compute_in(cpu_compute_type())
    for step in run.steps(settings.JUDGE_STEPS):
        rng = np.random.default_rng((settings.SEED_JUDGE, step))
        torch.manual_seed(step)
        chosen = rng.choice(len(pictures), settings.JUDGE_BATCH, replace=False)
        loss = judge_loss(judge(worn(to_image(pictures[np.sort(chosen)]))), targets([scenes[i] for i in np.sort(chosen)]))
        run.update(loss, settings.JUDGE_RATE * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / settings.JUDGE_STEPS)))
    layers.compute_in(torch.float32)
    print({question: round(share, 4) for question, share in test(load_judge()).items()})


if __name__ == "__main__":
    main()
