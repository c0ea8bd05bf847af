"""LangChain's own standard suite, over an alias."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from askrepo.langchain.retriever import AskrepoRetriever
from tests.datasets import build_alias


@pytest.fixture(scope="module")
def alias(tmp_path_factory):
    return build_alias(
        tmp_path_factory.mktemp("standard"), {f"m{n}.py": f"def retry_{n}():\n    pass\n" for n in range(5)}
    )


class TestAskrepoRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _over(self, alias) -> None:
        self.alias = alias

    @property
    def retriever_constructor(self) -> type[AskrepoRetriever]:
        return AskrepoRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"readers": [self.alias.reader]}

    @property
    def retriever_query_example(self) -> str:
        return "where is retry defined"
