"""A model in a GGUF file, run in this process by llama.cpp (through llama-cpp-python).

The chat template is the file's own, a JSON schema becomes a grammar, and the beginning that a prompt shares
with the one before is not read again. A model works on one answer at a time; a second call waits for it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import logging
import re
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, MissingDependency, NotFound
from .base import DEFAULT_TIMEOUT_S, LLMError, Message, Reply, Request, Stream, Switch, request_of

__all__ = ["LlamaCppLLM"]

CONTEXT_TOKENS = 4_096
BATCH_TOKENS = 512
GLANCE_S = 0.02  # between looks at the switch while another call is under way
CLOSE_S = 2.0  # for which closing waits
WORD_JOINER = "\u2060"


class LlamaCppLLM:
    """A GGUF model; loaded when first used, safe across threads."""

    def __init__(
        self,
        path: str | Path,
        context_tokens: int = CONTEXT_TOKENS,
        threads: int | None = None,
        gpu_layers: int | None = None,
    ) -> None:
        """
        Args:
            path: the file.
            context_tokens: of prompt and answer together; memory grows with it.
            threads: None takes what llama.cpp thinks best.
            gpu_layers: layers on the GPU, -1 for all; None: all where Metal or CUDA is built in.

        Raises:
            NotFound: no such file.
            InvalidInput: not a GGUF file.
            MissingDependency: llama-cpp-python is not installed.
        """
        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise NotFound(f"the model {self.path} does not exist; give the path of a GGUF file")
        with self.path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise InvalidInput("llm", f"{self.path} is not a GGUF file", "give a model in GGUF format")
        if importlib.util.find_spec("llama_cpp") is None:
            raise MissingDependency("a local model", "llama-cpp-python", "llm")
        self._context_tokens, self._threads, self._gpu_layers = context_tokens, threads, gpu_layers
        self._model: Any = None
        self._folds_system = False  # the template knows no system message
        self._marks = re.compile(r"(?!)")  # the template's own signs, which no message may hold
        self._loading = threading.Lock()
        self._busy = threading.Lock()
        self._abort = ctypes.create_string_buffer(2)  # "\1" ends what llama.cpp is computing

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self._context_tokens

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def load(self) -> Any:
        """llama-cpp-python's model, loaded if that has not been done.

        Raises:
            InvalidInput: the file is damaged, or of a kind that llama.cpp cannot run.
        """
        with self._loading:
            if self._model is None:
                llama_cpp = _library()

                all_there = -1 if llama_cpp.llama_supports_gpu_offload() else 0
                layers = all_there if self._gpu_layers is None else self._gpu_layers
                try:
                    model = llama_cpp.Llama(
                        str(self.path), n_ctx=self._context_tokens, n_batch=BATCH_TOKENS,
                        n_threads=self._threads, n_threads_batch=self._threads, n_gpu_layers=layers,
                        verbose=False,
                    )  # fmt: skip
                except (ValueError, RuntimeError, AssertionError, OSError) as error:
                    problem = f"{self.path} cannot be loaded ({' '.join(str(error).split())[:200]})"
                    raise InvalidInput("llm", problem, "give another file, or download it again") from error
                logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)  # a stop is none
                self._make_stoppable(model)
                self._marks = _control_tokens(model)
                self._model = model
            return self._model

    def close(self) -> None:
        """Frees the model; using it loads it anew.

        Raises:
            LLMError: an answer is still open.
        """
        if not self._busy.acquire(timeout=CLOSE_S):
            raise LLMError("timeout", f"{self.name}: busy with another answer; close that first")
        try:
            with self._loading:
                if self._model is not None:
                    self._model.close()
                    self._model = None
        finally:
            self._busy.release()

    def count(self, text: str) -> int:
        """Tokens of a text, without marks of beginning and end."""
        return len(self.load().tokenize(text.encode("utf-8", "replace"), add_bos=False))

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Reply:
        """The whole answer; see `LLM.generate`."""
        request = request_of(messages, max_tokens, temperature, stop, schema, timeout_s)
        grammar = _grammar(request.schema)
        with self._turn(request, Switch()) as model:
            answer = self._asked(model, request, grammar, streaming=False)
        choice, usage = answer["choices"][0], answer["usage"]
        text = choice["message"]["content"] or ""
        if not text.strip():
            raise LLMError("empty", f"{self.name}: the answer is empty")
        finish = "length" if choice["finish_reason"] == "length" else "stop"
        return Reply(text, finish, usage["prompt_tokens"], usage["completion_tokens"])

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Stream:
        """The answer as it comes; see `LLM.stream`. Other calls wait until it is read or closed."""
        request = request_of(messages, max_tokens, temperature, stop, schema, timeout_s)
        grammar = _grammar(request.schema)
        return Stream(lambda switch: self._pieces(request, grammar, switch))

    # -- one call at a time -----------------------------------------------------------------------

    def _pieces(self, request: Request, grammar: Any, switch: Switch) -> Iterator[str]:
        with self._turn(request, switch) as model:
            for event in self._asked(model, request, grammar, streaming=True):
                if switch.thrown:
                    break
                piece = event["choices"][0]["delta"].get("content")
                if piece:
                    yield piece
            if switch.late:
                raise LLMError("timeout", f"{self.name}: no whole answer in {request.timeout_s:g} s")

    @contextmanager
    def _turn(self, request: Request, switch: Switch) -> Iterator[Any]:
        """The model for one call, which ends when the switch is thrown or the time is up."""
        model = self.load()
        until = time.monotonic() + request.timeout_s
        while not self._busy.acquire(timeout=GLANCE_S):
            if switch.thrown or time.monotonic() > until:
                raise LLMError("timeout", f"{self.name}: busy with another answer")
        timer = switch.after(until - time.monotonic())
        try:
            self._abort.value = b""
            switch.on_throw(self._stop_computing)
            yield model
        except (ValueError, RuntimeError, LookupError) as error:
            raise self._failure(error, request, switch) from error
        finally:
            timer.cancel()
            switch.on_throw(None)
            self._busy.release()

    def _failure(self, error: Exception, request: Request, switch: Switch) -> LLMError:
        if switch.thrown:
            return LLMError("timeout", f"{self.name}: no whole answer in {request.timeout_s:g} s")
        reason = "too long" if "exceed context window" in str(error) else "server"
        return LLMError(reason, f"{self.name}: {' '.join(str(error).split())[:200]}")

    def _make_stoppable(self, model: Any) -> None:
        """Lets llama.cpp look at `_abort` between the steps of a computation.

        It wants a C function that takes a pointer and says whether to stop, and calls it far too often for
        one of Python's. `strlen` is such a function: 0 for an empty string, 1 for "\\1".
        """
        llama_cpp = _library()

        look = ctypes.cast(ctypes.CDLL(None).strlen, llama_cpp.ggml_abort_callback)
        place: Any = ctypes.cast(self._abort, ctypes.c_void_p)
        llama_cpp.llama_set_abort_callback(model.ctx, look, place)

    def _stop_computing(self) -> None:
        self._abort.value = b"\x01"

    # -- asking -----------------------------------------------------------------------------------

    def _asked(self, model: Any, request: Request, grammar: Any, streaming: bool) -> Any:
        """llama-cpp-python's answer: a dict, or an iterator of dicts."""
        messages = [{**one, "content": self._plain(one["content"])} for one in request.messages]
        options = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "stop": list(request.stop),
            "grammar": grammar,
            "stream": streaming,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a template that begins with a mark of its own
            if not self._folds_system:
                try:
                    return model.create_chat_completion(messages, **options)
                except ValueError as error:
                    if messages[0]["role"] != "system" or "context window" in str(error):
                        raise
                    self._folds_system = True  # templates say so with an error
            return model.create_chat_completion(_folded(messages), **options)

    def _plain(self, text: str) -> str:
        """Words in which nothing is read as one of the template's signs."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        return self._marks.sub(lambda match: match.group()[0] + WORD_JOINER + match.group()[1:], text)


def _library() -> Any:
    """llama-cpp-python, loaded when first used."""
    return importlib.import_module("llama_cpp")


def _grammar(schema: Mapping[str, Any] | None) -> Any:
    if schema is None:
        return None
    try:
        return _library().LlamaGrammar.from_json_schema(json.dumps(schema), verbose=False)
    except (ValueError, LookupError, TypeError, AssertionError) as error:
        raise InvalidInput("schema", f"is no JSON schema ({error})", "give an object schema") from error


def _folded(messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The messages with what the system says put before the first message of the user."""
    system = "\n\n".join(one["content"] for one in messages if one["role"] == "system")
    rest = [dict(one) for one in messages if one["role"] != "system"]
    first = next((one for one in rest if one["role"] == "user"), None)
    if first is not None and system:
        first["content"] = f"{system}\n\n{first['content']}"
    return rest


def _control_tokens(model: Any) -> re.Pattern[str]:
    """Matches the texts of a vocabulary's control tokens, such as "<|im_end|>"."""
    llama_cpp = _library()

    vocab = llama_cpp.llama_model_get_vocab(model.model)
    texts = (
        llama_cpp.llama_vocab_get_text(vocab, token).decode("utf-8", "replace")
        for token in range(model.n_vocab())
        if llama_cpp.llama_vocab_get_attr(vocab, token) & llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
    )
    marks = sorted({text for text in texts if len(text) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, marks)) if marks else r"(?!)")
