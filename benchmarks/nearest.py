"""Two libraries that name what was said by its nearest examples, given one encoder."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

ENGINE, NOTHING = "shared-minilm", "nothing matched"


@dataclass(slots=True)
class Encoder:
    """all-MiniLM-L6-v2 out of its package. What was encoded is kept, but never used while `fresh`."""

    model: Any
    fresh: bool = False
    kept: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """Unit vectors."""
        wanted = list(dict.fromkeys(t for t in texts if self.fresh or t not in self.kept))
        if wanted:
            found = self.model.encode(wanted, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
            self.kept.update(zip(wanted, found.tolist(), strict=True))
        return [self.kept[text] for text in texts]


class NearestRoute:
    """semantic-router's IndexedRouter over its local index, as it comes but for how hits are put together."""

    def __init__(self, encoder: Encoder, examples: dict[str, list[str]], aggregation: str = "mean") -> None:
        from semantic_router import Route
        from semantic_router.encoders import DenseEncoder
        from semantic_router.routers import IndexedRouter

        class Shared(DenseEncoder):
            def __call__(self, docs: list[Any]) -> list[list[float]]:
                return encoder(docs)

        routes = [Route(name=label, utterances=texts) for label, texts in examples.items()]
        self._router = IndexedRouter(encoder=Shared(name=ENGINE), routes=routes, aggregation=aggregation)
        self.threshold: float | None = None

    def read(self, text: str) -> str | None:
        """The route, or None below the threshold."""
        name: str | None = self._router(text, threshold=self.threshold).name
        return name

    def score(self, text: str) -> tuple[str | None, float]:
        """The likeliest route and what the threshold is held against."""
        choice = self._router(text)
        return choice.name, float(choice.confidence or 0.0)


class NearestIntent:
    """The step of NeMo Guardrails that names what the user said, with `embeddings_only`: no model is asked."""

    def __init__(self, encoder: Encoder, examples: dict[str, list[str]]) -> None:
        from nemoguardrails import LLMRails, RailsConfig
        from nemoguardrails.embeddings.providers import register_embedding_provider
        from nemoguardrails.embeddings.providers.base import EmbeddingModel

        class Shared(EmbeddingModel):
            engine_name = ENGINE

            def __init__(self, embedding_model: str) -> None:
                self.model = embedding_model

            def encode(self, documents: list[str]) -> list[list[float]]:
                return encoder(documents)

            async def encode_async(self, documents: list[str]) -> list[list[float]]:
                return encoder(documents)

        register_embedding_provider(Shared)
        settings = {"embeddings_only": True, "embeddings_only_fallback_intent": NOTHING}
        config = RailsConfig.parse_object({
            "models": [{"type": "embeddings", "engine": ENGINE, "model": "all-MiniLM-L6-v2"}],
            "user_messages": examples,
            "rails": {"dialog": {"user_messages": settings}},
        })  # fmt: skip
        self._rails = LLMRails(config)
        with warnings.catch_warnings():
            # Deprecated for outsiders; it is the step we want, without the dialogue and the model behind it.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._actions = self._rails.llm_generation_actions
        self._loop = asyncio.new_event_loop()
        self._encoder = encoder

    def _set(self, threshold: float | None) -> None:
        self._rails.config.rails.dialog.user_messages.embeddings_only_similarity_threshold = threshold

    threshold = property(fset=_set)

    def read(self, text: str) -> str | None:
        """The intent, or None below the threshold."""
        said = [{"type": "UserMessage", "text": text}]
        result = self._loop.run_until_complete(self._actions.generate_user_intent(said, {}, self._rails.config))
        intent = str(result.events[0]["intent"])
        return None if intent == NOTHING else intent

    def score(self, text: str) -> tuple[str | None, float]:
        """The likeliest intent and what the threshold is held against: their score, a function of the cosine."""
        import numpy as np

        index = self._actions.user_message_index
        (best,) = self._loop.run_until_complete(index.search(text, max_results=1))
        one, other = np.array(self._encoder([text, best.text]))
        return best.meta["intent"], float(1 - np.sqrt(max(0.0, 2 - 2 * float(one @ other))) / 2)
