"""Others that run the same model files, and the workbench among them, each behind the same few lines.

A contender is a module with a class `Contender(folder, settings)` that has `note`, a few words on how it
runs, `answer(prompts, max_tokens)` and `close()`. It lives in a process of its own (`worker.py`), because
one of them needs other packages than the workbench does:

    python3 -m venv PEERS
    PEERS/bin/pip install -c constraints.txt -r bench/peers/requirements.txt
    python -m bench local --peers PEERS/bin/python
"""
