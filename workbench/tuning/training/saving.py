"""The tuned weights as files: an adapter over its base, or whole weights with their tokenizer.

model/adapter_config.json  adapter_model.safetensors  training.json              an adapter
model/config.json  model.safetensors  tokenizer.json  chat_template.jinja  …     whole weights
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from workbench.core.files import write_text
from workbench.errors import StorageError, TuningError
from workbench.models.local.chat import ChatTokenizer
from workbench.tuning.folders import TuningFolder
from workbench.tuning.job import TrainingJob
from workbench.tuning.training.combinations import VIRTUAL
from workbench.tuning.training.disk import disk_sentence
from workbench.tuning.training.network import load_base

ABOUT = "training.json"


def take_back(network: Any, checkpoint: Path) -> None:
    """Gives the network the weights that a checkpoint holds."""
    from peft import PeftModel, set_peft_model_state_dict
    from safetensors.torch import load_file

    if isinstance(network, PeftModel):
        set_peft_model_state_dict(network, load_file(checkpoint / "adapter_model.safetensors"))
        return
    for file in sorted(checkpoint.glob("model*.safetensors")):
        network.load_state_dict(load_file(file), strict=False)
    network.tie_weights()


def is_whole(job: TrainingJob) -> bool:
    """Whether a job ends in whole weights: all were trained, or it shall be so, or went on from an adapter
    that would otherwise have to be merged below the new one each time.
    """
    train = job.train
    return train.method == "full" or (
        train.method not in VIRTUAL and (train.merge or job.adapter is not None)
    )


def save_model(
    folder: TuningFolder, job: TrainingJob, network: Any, chat: ChatTokenizer, about: dict[str, Any]
) -> None:
    """Writes model/ in one step: it is whole, or as it was before.

    Args:
        network: as it was trained; where its matrices are added to the weights, it is used up.
        about: what training.json tells, with no path of this machine in it.

    Raises TuningError when the disk is full.
    """
    staged = folder.path / "model.part"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        if is_whole(job):
            whole = network if job.train.method == "full" else _added(job, network)
            whole.config._name_or_path = ""
            whole.save_pretrained(staged)
            chat.tokenizer.save_pretrained(staged)
        else:
            for config in network.peft_config.values():
                config.base_model_name_or_path = Path(job.base).name
            network.save_pretrained(staged, save_embedding_layers=False)
        write_text(staged / ABOUT, json.dumps(about, ensure_ascii=False, indent=1))
        shutil.rmtree(folder.model, ignore_errors=True)
        staged.replace(folder.model)
    except StorageError as problem:
        raise TuningError(f"The tuned model could not be saved: {problem}") from None
    except Exception as problem:
        sentence = disk_sentence(problem, folder.path)
        if sentence is None:
            raise
        raise TuningError(
            f"The tuned model could not be saved: {sentence} The states saved before are whole; resume once "
            "there is room."
        ) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _added(job: TrainingJob, network: Any) -> Any:
    """The base's weights in 32 bits, with what was trained beside them added."""
    import torch
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    if job.train.method != "qlora" and network.dtype == torch.float32:
        return network.merge_and_unload(safe_merge=True)
    trained = {key: value.float() for key, value in get_peft_model_state_dict(network).items()}
    both = get_peft_model(load_base(job, "cpu", precision="fp32"), network.peft_config["default"])
    set_peft_model_state_dict(both, trained)
    return both.merge_and_unload(safe_merge=True)
