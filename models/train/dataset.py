"""Renders: a picture is a function of (SEED_DATA, set, index), so any of them can be drawn again, alone."""

import json
import sys

import numpy as np

import settings
from render import render
from scene import draw_scene

# Sets never share a picture: the set's number is part of the seed.
SETS = {"train": 0, "vae": 1, "judge": 2, "judge_test": 3, "evaluation": 4, "control": 5, "relevance": 6, "relevance_test": 7, "relevance_fit": 8}


def generator(name, index):
    return np.random.default_rng((settings.SEED_DATA, SETS[name], index))


def picture(name, index, width=256, height=256, held_out=None):
    """(scene, uint8[height, width, 3]). `held_out` True or False keeps only scenes of that kind."""
    rng = generator(name, index)
    scene = draw_scene(rng)
    while held_out is not None and scene.held_out != held_out:
        scene = draw_scene(rng)
    return scene, render(scene, rng, width, height)


def render_shards(folder, name, count):
    """Saves `count` square pictures of a set in shards; those that exist are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, settings.SHARD):
        path = folder / f"{start:06d}.npy"
        if path.exists():
            continue
        rows = [picture(name, i, held_out=False) for i in range(start, min(start + settings.SHARD, count))]
        path.with_suffix(".json").write_text(json.dumps([scene.to_dict() for scene, _ in rows]))
        partial = path.with_suffix(".part.npy")
        np.save(partial, np.stack([image for _, image in rows]))
        partial.rename(path)


if __name__ == "__main__":
    render_shards(settings.WORK_DIR / "vae_images", "vae", settings.VAE_IMAGES)
    print(f"{settings.VAE_IMAGES} pictures in {settings.WORK_DIR / 'vae_images'}", file=sys.stderr)
