"""TRL fine-tunes the embedded model as any other, and what it saves is opened here."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sharpen.core.records import user
from sharpen.models.open import NANO, open_folder
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.ladder import Ladder, Sizes

trl = pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")

pytestmark = pytest.mark.peer


def test_trl_teaches_it_sums_and_we_open_what_it_saved(tmp_path: Path) -> None:
    task = Ladder(Arithmetic(), levels=(4,), sizes=Sizes(train=32, dev=1, test=1))
    solved = [(p.chat[0].text, str(task.oracle.reveal(p).notes["solution"])) for p in task.problems("train")]
    rows = [
        {"prompt": [{"role": "user", "content": asked}], "completion": [{"role": "assistant", "content": said}]}
        for asked, said in solved
    ]
    settings = trl.SFTConfig(
        output_dir=str(tmp_path / "run"),
        use_cpu=True,
        bf16=False,
        report_to="none",
        max_steps=12,
        per_device_train_batch_size=8,
        learning_rate=1e-3,
        save_strategy="no",
    )
    trainer = trl.SFTTrainer(
        AutoModelForCausalLM.from_pretrained(NANO, dtype=torch.float32),
        args=settings,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(NANO),
    )
    trainer.train()
    trainer.save_model(str(tmp_path / "taught"))
    before, after = (open_folder("nano", folder) for folder in (NANO, tmp_path / "taught"))
    chats, texts = [(user(asked),) for asked, _ in solved], [said for _, said in solved]
    likely = [
        sum(float(score.sum()) for score in model.at(model.base).logprobs(chats, texts)) / len(solved)
        for model in (before, after)
    ]
    assert likely[1] > likely[0] + 1.0
