from __future__ import annotations

import gc
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from benchmarks.adhoc import AdhocVectorStore

EMBEDDING = DeterministicFakeEmbedding(size=6)


class FailingEmbedding(DeterministicFakeEmbedding):
    def embed_documents(self, texts):
        raise OSError("no model")


def test_nearest_text_to_itself_is_itself_with_cosine_one():
    store = AdhocVectorStore.from_texts(["red", "green", "blue"], EMBEDDING)
    document, score = store.similarity_search_with_score("green", k=1)[0]
    assert document.page_content == "green"
    assert score == pytest.approx(1, abs=1e-6)


def test_texts_survive_a_new_process(tmp_path):
    AdhocVectorStore.from_texts(["red"], EMBEDDING, [{"n": 1}], ids=["r"], directory=tmp_path)
    again = AdhocVectorStore(EMBEDDING, directory=tmp_path)
    assert again.get_by_ids(["r"]) == [Document(id="r", page_content="red", metadata={"n": 1})]


def test_temporary_dataset_goes_with_its_store():
    store = AdhocVectorStore.from_texts(["red"], EMBEDDING)
    directory = Path(store._path).parent
    assert directory.is_dir()
    del store
    gc.collect()
    assert not directory.exists()


def test_same_id_replaces_and_last_of_one_call_wins():
    store = AdhocVectorStore.from_texts(["old", "kept"], EMBEDDING, ids=["a", "b"])
    store.add_texts(["newer", "newest"], ids=["a", "a"])
    assert {each.page_content for each in store.similarity_search("x", k=10)} == {"newest", "kept"}


def test_delete_without_ids_removes_all_and_the_store_still_works():
    store = AdhocVectorStore.from_texts(["a", "b"], EMBEDDING)
    store.delete()
    assert store.similarity_search("a") == store.max_marginal_relevance_search("a") == []
    store.add_texts(["c"])
    assert [each.page_content for each in store.similarity_search("a")] == ["c"]


def test_failed_embedding_changes_nothing(tmp_path):
    AdhocVectorStore.from_texts(["red"], EMBEDDING, ids=["r"], directory=tmp_path)
    with pytest.raises(OSError, match="no model"):
        AdhocVectorStore(FailingEmbedding(size=6), directory=tmp_path).add_texts(["blue"], ids=["r"])
    assert AdhocVectorStore(EMBEDDING, directory=tmp_path).get_by_ids(["r"])[0].page_content == "red"


def test_unstorable_text_changes_nothing(tmp_path):
    store = AdhocVectorStore.from_texts(["red"], EMBEDDING, ids=["r"], directory=tmp_path)
    with pytest.raises(Exception, match=r"."):
        store.add_texts(["\ud800"], ids=["r"])
    assert AdhocVectorStore(EMBEDDING, directory=tmp_path).get_by_ids(["r"])[0].page_content == "red"


def test_uneven_arguments_are_refused():
    with pytest.raises(ValueError, match="2 texts, 1 ids, 2 metadatas"):
        AdhocVectorStore(EMBEDDING).add_texts(["a", "b"], ids=["a"])


def test_relevance_is_never_negative():
    store = AdhocVectorStore.from_texts([f"text {number}" for number in range(30)], EMBEDDING)
    scores = [score for _, score in store.similarity_search_with_relevance_scores("text 1", k=30)]
    assert min(scores) == 0
    assert max(scores) == pytest.approx(1)


class TestAdhocVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> AdhocVectorStore:
        return AdhocVectorStore(self.get_embeddings())
