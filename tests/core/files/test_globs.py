import pytest

from askrepo.files.globs import matches, selected


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        pytest.param("src/a.py", "*.py", True, id="star-crosses-folders"),
        pytest.param("src/a.py", "src/*", True, id="folder"),
        pytest.param("src/deep/a.py", "src/*", True, id="folder-at-any-depth"),
        pytest.param("a.py", "**/a.py", True, id="leading-any-folder-means-the-root-too"),
        pytest.param("x/y/a.py", "**/a.py", True, id="leading-any-folder"),
        pytest.param("xa.py", "**/a.py", False, id="leading-any-folder-needs-a-whole-name"),
        pytest.param("src/A.py", "src/a.py", False, id="case-counts"),
        pytest.param("src/a.pyc", "*.py", False, id="whole-path"),
        pytest.param("src/a.py", "src", False, id="a-name-alone-is-no-prefix"),
        pytest.param("a1.py", "a[0-9].py", True, id="class"),
        pytest.param("a\nb.py", "*.py", True, id="newline-in-path"),
        pytest.param("[x].py", "[[]x].py", True, id="escaped-bracket"),
    ],
)
def test_pattern_covers_whole_path(path, pattern, expected):
    assert matches(path, pattern) is expected


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        pytest.param((), (), True, id="no-pattern-means-all"),
        pytest.param(("docs/*",), (), False, id="not-included"),
        pytest.param(("docs/*", "src/*"), (), True, id="any-include"),
        pytest.param(("src/*",), ("*.py",), False, id="exclude-wins"),
    ],
)
def test_selection_of_a_source_file(include, exclude, expected):
    assert selected("src/a.py", include=include, exclude=exclude) is expected
