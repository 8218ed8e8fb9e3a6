"""Every number that shapes tau-tiny: data, networks, schedules, seeds. Nothing is set anywhere else."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL_DIR = Path(os.environ.get("STEPWISE_MODEL_DIR", HERE.parent / "tau-tiny"))
WORK_DIR = Path(os.environ.get("STEPWISE_TRAIN_DIR", Path.home() / ".cache/stepwise/train"))
THREADS = int(os.environ.get("STEPWISE_TRAIN_THREADS", "2"))

# --- data -----------------------------------------------------------------------------------------------------------
SEED_DATA = 1
VAE_IMAGES = 5_000            # 256x256 renders that the autoencoder is trained on
# Pictures that the diffusion model is trained on, per (width, height). 128x128 ones are the square ones at half size.
DATASET = {(256, 256): 24_000, (256, 384): 3_000, (384, 256): 3_000}
SHARD = 500                   # pictures a file: small enough that a stopped render loses little
HELD_OUT_FRACTION = 10        # one combination in ten (by hash) of subject, surface, style, background is never trained on

# --- networks -------------------------------------------------------------------------------------------------------
SCALING_FACTOR = 0.13025      # SDXL's: a stock pipeline divides latents by it before the decoder
TOKENS = 77                   # length of a CLIP prompt, start and end tokens included
TEXT_1 = dict(width=64, feed_forward=128, layers=2, heads=4)
TEXT_2 = dict(width=96, feed_forward=192, layers=2, heads=4, projection=96)
TIME_IDS_DIM = 16             # sinusoid features for each of SDXL's six time ids

# --- autoencoder ----------------------------------------------------------------------------------------------------
SEED_VAE = 2
VAE_STEPS = 7_000             # 65 to 90 ms each on two cores with AMX
VAE_BATCH = 16
VAE_CROP = 128                # pixels; two in five are whole pictures at half size, the others crops
VAE_RATE = 2e-3
VAE_NOISE = 0.25              # latent noise up to which the decoder is made robust (latents have unit variance)

# --- noise schedule (Stable Diffusion's) ----------------------------------------------------------------------------
BETA_START, BETA_END, TRAIN_STEPS = 0.00085, 0.012, 1000

# --- UNet -----------------------------------------------------------------------------------------------------------
UNET_WIDTHS = (48, 80, 96)    # channels at 1, 1/2 and 1/4 of the latent's size
UNET_EMBEDDING = 160          # time, pooled text and size, summed

# --- diffusion ------------------------------------------------------------------------------------------------------
SEED_DIFFUSION = 3
CAPTION_DROP = 0.10           # share of captions left empty: what guidance steers away from
WORKERS = THREADS             # processes of one thread each; they hold up better on a busy machine than one with threads
SNR_DAMP = 8.0                # v-loss weighs min(1, (1 + SNR_DAMP) / (1 + SNR)): above, the noise itself is all there is to learn
# Stages in order. `sizes`: share of steps per latent (width, height). Pictures a step: `batch`.
# The rate is constant for `hold` of the stage, then follows a cosine down to `final` of itself.
DIFFUSION = (
    dict(name="coarse", steps=6_500, batch=32, rate=1.5e-3, hold=0.6, final=0.3, ema=0.998, sizes={(16, 16): 1.0}),
    dict(name="fine", steps=3_500, batch=16, rate=1.0e-3, hold=1.0, final=1.0, ema=0.999,
         sizes={(32, 32): 0.80, (16, 16): 0.08, (32, 48): 0.06, (48, 32): 0.06}),
    dict(name="finish", steps=2_000, batch=24, rate=1.0e-3, hold=0.1, final=0.005, ema=0.999,
         sizes={(32, 32): 0.80, (16, 16): 0.08, (32, 48): 0.06, (48, 32): 0.06}),
)  # fmt: skip
PREVIEW_EVERY = 1_000         # steps between contact sheets of samples

# --- judge ----------------------------------------------------------------------------------------------------------
SEED_JUDGE = 4
JUDGE_IMAGES, JUDGE_TESTS = 24_000, 2_000
JUDGE_STEPS, JUDGE_BATCH, JUDGE_RATE = 2_200, 32, 2e-3

# --- sampling -------------------------------------------------------------------------------------------------------
ALGORITHM = "dpmsolver++"     # of scheduler_config.json; order 2, Karras sigmas. "sde-dpmsolver++" scored up to 4 points lower

# --- control network ------------------------------------------------------------------------------------------------
SEED_CONTROL = 5
CONTROL_IMAGES = 3_000        # the first of the training set
CONTROL = dict(steps=1_300, batch=16, rate=1.0e-3, hold=0.4, final=0.01)
SEGMENT_IMAGES, SEGMENT_STEPS, SEGMENT_BATCH = 3_000, 800, 24   # the judge of where the symbol lies

# --- relevance: an image-text encoder for content scores -------------------------------------------------------------
SEED_RELEVANCE = 6
RELEVANCE_IMAGES, RELEVANCE_TESTS = 16_000, 1_500
RELEVANCE_SIZE = 64           # pixels a side that it looks at
RELEVANCE_WIDTH = 64          # numbers of an embedding
RELEVANCE_TEXT = dict(width=96, feed_forward=192, layers=2, heads=4, projection=64)
RELEVANCE = dict(steps=900, batch=64, rate=2.0e-3)
