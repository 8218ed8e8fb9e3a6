#!/usr/bin/env bash
# Trains and exports tau-tiny: `models/train/run.sh [stage...]`, all stages but the last in order without an argument.
# `install`, the last, puts what was exported in the place of the model that is there.
#
# Every stage resumes where it stopped and does nothing once it is finished, so the same command goes on after an
# interruption. State lives in ${STEPWISE_TRAIN_DIR:-~/.cache/stepwise/train}. README.md beside this file says what is
# needed and how long each stage takes.
set -euo pipefail
cd "$(dirname "$0")"
. ./env.sh
python=${PYTHON:-/usr/bin/python3}
stages=("$@")
all=(images vae tokenizer latents diffusion control judge export check evaluate card)
[ ${#stages[@]} -gt 0 ] || stages=("${all[@]}")

work=$("$python" -c 'import settings; print(settings.WORK_DIR)')
model=$("$python" -c 'import settings; print(settings.MODEL_DIR)')
mkdir -p "$work"

for stage in "${stages[@]}"; do
  echo "== $stage"
  case $stage in
    images) "$python" dataset.py ;;
    vae) "$python" train_vae.py ;;
    tokenizer) "$python" tokenizer.py ;;
    latents) "$python" latents.py ;;
    diffusion) "$python" train_diffusion.py ;;
    control) "$python" train_control.py ;;
    judge) "$python" judge.py && "$python" segment.py ;;
    export) "$python" export.py ;;
    check) node check_onnx.mjs "$work/export" "$work/reference" | tee "$work/check.txt" ;;
    evaluate)
      "$python" evaluate.py "$work/export" tau-tiny
      [ -z "${STEPWISE_PROTOTYPE:-}" ] || "$python" evaluate.py "$STEPWISE_PROTOTYPE" prototype
      ;;
    card) "$python" samples.py "$work/export" && "$python" card.py "$work/export" ;;
    install) "$python" install.py "$work/export" "$model" ;;
    *) echo "Cannot run stage: '$stage' is none of ${all[*]} install" >&2; exit 2 ;;
  esac
done
