"""Puts a finished export in the place of the model folder, all at once: `install.py EXPORT MODEL_FOLDER`."""

import shutil
import sys
from pathlib import Path

# Bytes that the folder may hold: the model in float32 and in float16, and what the control variant may add in float32.
MOST, MOST_HALF, MOST_CONTROL = 13e6, 6.5e6, 10e6
CONTROL = ("controlnet", "unet_controlnet")


def sizes(folder, file):
    parts = {path.parent.name: path.stat().st_size for path in folder.glob(f"*/{file}")}
    control = sum(parts.get(name, 0) for name in CONTROL)
    return sum(parts.values()) - control, control


def check(folder):
    full, half = sizes(folder, "model.onnx"), sizes(folder, "model.fp16.onnx")
    limits = ((full[0], MOST, "the model"), (half[0], MOST_HALF, "its float16 variant"), (full[1], MOST_CONTROL, "the control variant"))
    for got, most, what in limits:
        if got > most:
            raise SystemExit(f"Cannot install the export: {what} is {got:,} bytes, more than {most:,.0f}")
    print(f"float32 {full[0]:,} + {full[1]:,} bytes, float16 {half[0]:,} + {half[1]:,} bytes")


def main(export, target):
    check(export)
    beside = target.with_name(target.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(export, beside)
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    beside.rename(target)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
