"""The contact sheet of the model card: what a few prompts give, in the tokens and with the solver of the model folder."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import settings
from evaluate import Prompter, generate

PROMPTS = (
    "a golden tau symbol in a night sky with stars", "a red tau symbol on a blue background", "a glowing neon green tau symbol on a circuit board",
    "a white tau symbol over ocean waves", "a stone tau symbol in front of mountains", "a purple outlined tau symbol on a yellow background",
    "a silver tau symbol against a sunset", "a black tau symbol on a pink background", "a bronze tau symbol in flames",
    "a cyan tau symbol on a black and white checkerboard", "an orange tau symbol, blue sky with clouds, 4k", "a yellow tau symbol in a forest",
    "a blue tau symbol inside a yellow circle on a black background", "a pink tau symbol inside a green ring in a forest",
    "a green tau symbol next to a red circle on a white background", "a golden tau symbol and a blue star against a sunset",
    "a red ring in a starry sky", "a yellow star on a purple background", "a neon pink star in outer space", "a silver ring on a circuit board",
    "tau symbol", "a cyberpunk tau symbol made of glass, dragon, city", "zxqw", "",
)  # fmt: skip
SIDE, LABEL, COLUMNS = 192, 38, 6


def sheet(images, prompts):
    font = ImageFont.load_default()
    rows = -(-len(images) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (SIDE + 6) - 6, rows * (SIDE + LABEL)), "white")
    draw = ImageDraw.Draw(page)
    for i, (pixels, prompt) in enumerate(zip(images, prompts)):
        x, y = i % COLUMNS * (SIDE + 6), i // COLUMNS * (SIDE + LABEL)
        page.paste(Image.fromarray(pixels).resize((SIDE, SIDE), Image.LANCZOS), (x, y))
        draw.text((x + 1, y + SIDE + 1), wrap(prompt or "(empty prompt)"), fill="black", font=font, spacing=1)
    return page


def wrap(text, width=32):
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], joined] if len(joined) <= width else [*lines, word]
    return "\n".join(lines)


def main(folder, target):
    prompter = Prompter(folder)
    images = generate(folder, [prompter.request(p, 7 + i) for i, p in enumerate(PROMPTS)], settings.WORK_DIR / "samples")
    sheet(images, PROMPTS).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    model = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else settings.WORK_DIR / "export"
    main(model, Path(sys.argv[2]) if len(sys.argv) > 2 else model / "samples.png")
