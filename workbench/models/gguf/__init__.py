"""GGUF, the one-file format of llama.cpp: reading its header, and writing it from a folder of safetensors."""
