"""
Makes the folders `pipe-sd3*` and `pipe-flux*` beside it: tiny pipelines with random weights as diffusers
saves them, and what diffusers' own pipelines compute with them.

    pip install torch transformers diffusers sentencepiece accelerate
    python3 test/golden/pipelines/record_transformers.py
"""

import json
import pathlib
import tempfile

import diffusers
import sentencepiece
import tokenizers
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

HERE = pathlib.Path(__file__).parent
STEPS = 3
PROMPT = "a red bird over the sea, ﬁne Ⅳ-colour print … and naïve T5 words"


def seeded(make, seed, scale=1.0):
    """Weights large enough that each matters, drawn anew."""
    torch.manual_seed(seed)
    module = make()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim > 1:
                fan = parameter[0].numel()
                parameter.normal_(0, scale / fan**0.5)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)
            else:
                parameter.normal_(1, 0.1)
    return module.eval()


def vae():
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=16,
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[4, 4, 4, 8], layers_per_block=1, norm_num_groups=2,
        use_quant_conv=False, use_post_quant_conv=False, force_upcast=True,
        scaling_factor=0.3611, shift_factor=0.1159, sample_size=64,
    )


def clip(cls, width, projection, act, **other):
    return cls(CLIPTextConfig(
        vocab_size=1014, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=3,
        num_attention_heads=2, projection_dim=projection, hidden_act=act,
        bos_token_id=0, eos_token_id=2, pad_token_id=1, **other,
    ))


def t5(words, width):
    return T5EncoderModel(T5Config(
        vocab_size=words, d_model=width, d_kv=6, d_ff=24, num_layers=2, num_heads=2,
        feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False,
    ))


def t5_tokenizer(folder):
    """A unigram model as T5's: sentencepiece's nmt_nfkc, then as transformers converts such."""
    words = (HERE.parents[2] / "README.md").read_text() + PROMPT * 20
    text = folder / "text.txt"
    text.write_text(words.lower() + words)
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spiece"), vocab_size=160, model_type="unigram",
        character_coverage=0.98, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1,
        hard_vocab_limit=False,
    )
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((folder / "spiece.model").read_bytes())
    vocabulary = [(piece.piece, piece.score) for piece in model.pieces]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(vocabulary, unk_id=2))
    tokenizer.normalizer = tokenizers.normalizers.Precompiled(
        model.normalizer_spec.precompiled_charsmap
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
        tokenizers.pre_tokenizers.WhitespaceSplit(),
        tokenizers.pre_tokenizers.Metaspace(),
    ])
    tokenizer.decoder = tokenizers.decoders.Metaspace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>", pad_token="<pad>",
        model_max_length=512,
    )


class Recorder:
    """What goes through a pipeline's parts, as <call>/in/<name> and <call>/out/<name>."""

    def __init__(self):
        self.tensors = {}

    def keep(self, call, side, name, tensor):
        self.tensors[f"{call}/{side}/{name}"] = tensor.detach().to(
            torch.int64 if not tensor.is_floating_point() else torch.float32
        ).contiguous().clone()


def record(pipe, recorder, call, latents, unpack, **arguments):
    """One run of the pipeline as it is; steps are observed by hooks."""
    transformer, step = pipe.transformer, [0]
    scheduler_step, decode = pipe.scheduler.step, pipe.vae.decode

    def forward(module, args, kwargs, output):
        at = step[0]
        if at == 0:
            recorder.keep(call, "out", "encoder_hidden_states", kwargs["encoder_hidden_states"])
            recorder.keep(call, "out", "text_embeds", kwargs["pooled_projections"])
        recorder.keep(call, "out", f"unet_input.{at}", unpack(kwargs["hidden_states"]))
        recorder.keep(call, "out", f"unet_output.{at}", unpack(output[0]))

    def observed_step(prediction, timestep, sample, **kwargs):
        at = step[0]
        recorder.keep(call, "out", f"guided.{at}", unpack(prediction))
        result = scheduler_step(prediction, timestep, sample, **kwargs)
        recorder.keep(call, "out", f"latents.{at}", unpack(result[0]))
        step[0] += 1
        return result

    def observed_decode(z, **kwargs):
        result = decode(z, **kwargs)
        recorder.keep(call, "out", "decoded", result[0])
        return result

    handle = transformer.register_forward_hook(forward, with_kwargs=True)
    pipe.scheduler.step, pipe.vae.decode = observed_step, observed_decode
    recorder.keep(call, "in", "latents", unpack(latents))
    pipe(latents=latents, output_type="pt", num_inference_steps=STEPS, **arguments)
    recorder.keep(call, "out", "timesteps", pipe.scheduler.timesteps)
    recorder.keep(call, "out", "sigmas", pipe.scheduler.sigmas)
    handle.remove()
    pipe.scheduler.step, pipe.vae.decode = scheduler_step, decode


def save(folder, pipe):
    pipe.save_pretrained(folder, safe_serialization=True)
    for tokenizer in folder.glob("tokenizer*/tokenizer.json"):
        shortened(tokenizer)


def finish(name, recorder, calls, covers, pipeline):
    run = HERE / f"{name}-txt2img"
    run.mkdir(exist_ok=True)
    save_file(recorder.tensors, str(run / "io.safetensors"))
    (run / "case.json").write_text(json.dumps({
        "name": run.name,
        "kind": "pipeline-run",
        "covers": covers,
        "versions": {
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
        },
        "tolerance": {"relative": 2e-05, "of": "the largest magnitude of the expected tensor"},
        "pipeline": f"../{pipeline}",
        "calls": calls,
    }, indent=1, ensure_ascii=False) + "\n")


def shortened(path):
    """The map of characters is 300 kB, the same in every such file, and stands for NFKC."""
    definition = json.loads(path.read_text())
    normalizer = definition.get("normalizer") or {}
    if normalizer.get("type") == "Precompiled":
        normalizer["precompiled_charsmap"] = ""
        path.write_text(json.dumps(definition, ensure_ascii=False) + "\n")


def clip_tokenizer(pad):
    folder = HERE / "pipe-sd1/tokenizer"
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token=pad, model_max_length=77,
    )


def sd3(words, with_t5, name):
    transformer = seeded(lambda: SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=16, out_channels=16, num_layers=2,
        attention_head_dim=8, num_attention_heads=3, joint_attention_dim=24,
        caption_projection_dim=24, pooled_projection_dim=18, pos_embed_max_size=12,
        dual_attention_layers=(0,), qk_norm="rms_norm",
    ), 31)
    parts = {"text_encoder_3": None, "tokenizer_3": None}
    if with_t5:
        parts = {
            "text_encoder_3": seeded(lambda: t5(len(words), 24), 34),
            "tokenizer_3": words,
        }
    pipe = StableDiffusion3Pipeline(
        transformer=transformer, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=seeded(vae, 35),
        text_encoder=seeded(lambda: clip(CLIPTextModelWithProjection, 8, 8, "quick_gelu"), 32),
        text_encoder_2=seeded(lambda: clip(CLIPTextModelWithProjection, 10, 10, "gelu"), 33),
        tokenizer=clip_tokenizer("<|endoftext|>"), tokenizer_2=clip_tokenizer("!"), **parts,
    )
    recorder, calls = Recorder(), {}
    runs = {
        "guided": dict(prompt=PROMPT, negative_prompt="blurry", guidance_scale=5.0),
        "unguided": dict(prompt=PROMPT, guidance_scale=1.0),
        "clipskip1": dict(prompt=PROMPT, negative_prompt="", guidance_scale=4.0, clip_skip=1),
        "prompt2": dict(prompt=PROMPT, prompt_2="a ship", negative_prompt="blurry",
                        negative_prompt_2="low", guidance_scale=3.0),
    }
    for seed, (call, arguments) in enumerate(runs.items() if with_t5 else [*runs.items()][:1]):
        generator = torch.Generator().manual_seed(seed)
        latents = torch.randn(1, 16, 8, 6, generator=generator)
        record(pipe, recorder, call, latents, lambda x: x, height=64, width=48, **arguments)
        calls[call] = {"arguments": {**arguments, "size_hw": [64, 48], "num_inference_steps": STEPS}}
    if with_t5:
        save(HERE / name, pipe)
    finish(name, recorder, calls, [
        "text to image: CLIP-L and CLIP-G padded to T5's width, then 256 tokens of T5, whose padding "
        "is seen; pooled side by side" if with_t5 else "no third text encoder: 256 tokens of zeros",
    ], "pipe-sd3")


def flux(words, guidance, name, scheduler):
    transformer = seeded(lambda: FluxTransformer2DModel(
        patch_size=1, in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=12,
        num_attention_heads=2, joint_attention_dim=16, pooled_projection_dim=10,
        guidance_embeds=guidance, axes_dims_rope=(4, 4, 4),
    ), 41)
    pipe = FluxPipeline(
        transformer=transformer, scheduler=scheduler, vae=seeded(vae, 42),
        text_encoder=seeded(lambda: clip(CLIPTextModel, 10, 10, "quick_gelu"), 43),
        text_encoder_2=seeded(lambda: t5(len(words), 16), 44),
        tokenizer=clip_tokenizer("<|endoftext|>"), tokenizer_2=words,
    )
    recorder, calls = Recorder(), {}
    runs = {
        "wide": ((48, 80), dict(prompt=PROMPT, guidance_scale=3.5)),
        "prompt2": ((64, 32), dict(prompt="a ship", prompt_2=PROMPT, guidance_scale=2.0)),
    }
    for seed, (call, ((height, width), arguments)) in enumerate(runs.items()):
        generator = torch.Generator().manual_seed(seed)
        size = (1, 16, height // 8, width // 8)
        latents = pipe._pack_latents(torch.randn(size, generator=generator), *size)
        unpack = lambda x, h=height, w=width: pipe._unpack_latents(x, h, w, 8)
        record(pipe, recorder, call, latents, unpack, height=height, width=width, **arguments)
        calls[call] = {
            "arguments": {**arguments, "size_hw": [height, width], "num_inference_steps": STEPS},
        }
    save(HERE / name, pipe)
    finish(name, recorder, calls, [
        "text to image: 512 tokens of T5, whose padding is seen; CLIP-L's pooled state",
        "latents packed to tokens (recorded as unpacked), sigmas of the pipeline",
        "the guidance scale as an input" if guidance else "no guidance at all",
    ], name)


def tokenized(words):
    """What the tokenizer makes of texts, for the library that stands in for it."""
    texts = [
        PROMPT, "", "  two  spaces\tand a tab\nand a line ", "ＡＢＣ ½ ™ ﬃ", "emoji 🐦 unknown",
        "a" * 40, "hello,world!it's 42", "Ⅳ", "naïve café", " leading", "<pad> </s> typed",
    ]
    path = HERE / "t5_tokens.json"
    path.write_text(json.dumps(
        [{"text": text, "ids": words(text).input_ids} for text in texts],
        indent=1, ensure_ascii=False,
    ) + "\n")


def main():
    with tempfile.TemporaryDirectory() as folder:
        words = t5_tokenizer(pathlib.Path(folder))
        tokenized(words)
        sd3(words, True, "pipe-sd3")
        sd3(words, False, "pipe-sd3-without-t5")
        dev = FlowMatchEulerDiscreteScheduler(
            shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
            base_image_seq_len=256, max_image_seq_len=4096,
        )
        flux(words, True, "pipe-flux-dev", dev)
        flux(words, False, "pipe-flux-schnell", FlowMatchEulerDiscreteScheduler(shift=1.0))


main()
