"""What it takes to run a local model well: weights, quantization, batched decoding, text on the way."""
