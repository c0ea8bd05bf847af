from __future__ import annotations

import pytest

from askrepo.aliases.following import AliasFollower
from askrepo.langchain.retriever import AskrepoRetriever, AskrepoVectorStore
from askrepo.search.search import STRATEGIES, search
from askrepo.store.reader import Filter
from tests.datasets import build_alias, run_stages

FILES = {
    "README.md": "# Pigeon\n\nDelivers letters.\n",
    "tests/test_letter.py": "def test_letter_is_sent():\n    assert send(letter)\n",
    **{f"src/route{n}.py": f"def route_{n}(letter):\n    return letter.street({n})\n" for n in range(8)},
}
QUESTION = "which street does a letter take"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return build_alias(tmp_path_factory.mktemp("retriever"), FILES, name="pigeon").reader


@pytest.fixture(scope="module")
def store(reader):
    return AskrepoVectorStore(reader)


def ids(documents) -> list[str]:
    return [document.id for document in documents]


def paths(documents) -> set[str]:
    return {document.metadata["path"] for document in documents}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_retriever_ranks_as_search_does(reader, strategy):
    hits = search(QUESTION, readers=[reader], strategy=strategy, k=5)
    documents = AskrepoRetriever(readers=[reader], strategy=strategy, k=5).invoke(QUESTION)
    assert ids(documents) == [hit.chunk.id for hit in hits]


def test_a_retriever_may_follow_its_alias(tmp_path):
    built = build_alias(tmp_path, {"a.py": "def first():\n    pass\n"})
    follower = AliasFollower.open(["main"], workspace=built.workspace, settings=built.settings)
    retriever = AskrepoRetriever(readers=follower)
    assert paths(retriever.invoke("first second")) == {"a.py"}
    built.repositories[0].commit({"b.py": "def second():\n    pass\n"})
    run_stages(built.definition, workspace=built.workspace, settings=built.settings)
    assert paths(retriever.invoke("first second")) == {"a.py", "b.py"}


def test_each_call_may_choose_otherwise(reader):
    retriever = AskrepoRetriever(readers=[reader])
    documents = retriever.invoke(QUESTION, k=2, strategy="cosine", where=Filter(kind=("test",)))
    assert [document.metadata["path"] for document in documents] == ["tests/test_letter.py"]


def test_document_says_where_it_is_from(reader):
    hit = search("route_3", readers=[reader], k=1)[0]
    document = AskrepoRetriever(readers=[reader], k=1).invoke("route_3")[0]
    assert document.page_content == hit.chunk.text
    assert document.metadata == {
        "alias": "main",
        "repository": hit.chunk.repository,
        "commit": hit.commit,
        "path": "src/route3.py",
        "start_line": 1,
        "end_line": 2,
        "language": "python",
        "kind": "source",
        "symbols": ["route_3"],
        "score": hit.score,
        "url": hit.url,
    }


def test_store_ranks_as_cosine_and_mmr_do(reader, store):
    cosine = [hit.chunk.id for hit in search(QUESTION, readers=[reader], strategy="cosine", k=5)]
    mmr = [hit.chunk.id for hit in search(QUESTION, readers=[reader], strategy="mmr", k=5)]
    assert [document.id for document in store.similarity_search(QUESTION, k=5)] == cosine
    assert [document.id for document in store.max_marginal_relevance_search(QUESTION, k=5)] == mmr
    assert [
        document.id for document in store.as_retriever(search_type="mmr", search_kwargs={"k": 5}).invoke(QUESTION)
    ] == mmr


def test_store_searches_by_vector(store):
    vector = store.embeddings.embed_query(QUESTION)
    assert store.similarity_search_by_vector(vector) == store.similarity_search(QUESTION)
    assert store.max_marginal_relevance_search_by_vector(vector) == store.max_marginal_relevance_search(QUESTION)


def test_store_gives_cosines_and_obeys_a_filter(store):
    found = store.similarity_search_with_score(QUESTION, k=20, where=Filter(path=("src/*",)))
    assert {document.metadata["path"] for document, _ in found} == {f"src/route{n}.py" for n in range(8)}
    assert all(-1 <= score <= 1.000001 for _, score in found)


def test_store_gives_chunks_by_id_in_the_order_asked(store):
    documents = store.similarity_search(QUESTION, k=3)
    first, _, third = ids(documents)
    found = store.get_by_ids([third, "unknown", first])
    assert ids(found) == [third, first]
    assert "score" not in found[0].metadata


def test_published_dataset_cannot_be_changed_through_langchain(store):
    with pytest.raises(NotImplementedError, match=r"add texts to alias 'main'.*never changes"):
        store.add_texts(["x"])
    with pytest.raises(NotImplementedError, match="delete texts from alias 'main'"):
        store.delete(["x"])
    with pytest.raises(NotImplementedError, match="InMemoryVectorStore"):
        AskrepoVectorStore.from_texts(["x"], store.embeddings)
