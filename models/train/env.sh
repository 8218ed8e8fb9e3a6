# Measured on two cores: OpenBLAS's own threads fight torch's (3 to 7 times slower backward), and letting malloc keep
# its memory halves a step of the autoencoder.
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
export MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=500000000
export PYTHONDONTWRITEBYTECODE=1
