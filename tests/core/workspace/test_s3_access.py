"""Keys, region and endpoint of an S3 API, as the AWS tools would find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from askrepo.errors import CredentialsError
from askrepo.workspace.s3_access import S3Access

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a profile `default` and a profile `team`."""
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = d%fault\n"
        "[team]\naws_access_key_id = AKIATEAM\naws_secret_access_key = team\naws_session_token = token\n"
    )
    (folder / "config").write_text(
        "[default]\nregion = eu-west-1\n[profile team]\nregion = eu-central-1\nendpoint_url = https://store.example\n"
        "[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = default\n"
    )
    return tmp_path


def test_variables_alone_need_no_files() -> None:
    env = {**KEYS, "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "https://a.example"}
    assert S3Access.from_env(env) == S3Access("AKIA", "hush", "token", "eu-west-1", "https://a.example")


def test_nothing_set_leaves_everything_to_the_libraries(tmp_path: Path) -> None:
    access = S3Access.from_env({"HOME": str(tmp_path)})
    assert access == S3Access()
    assert access.deeplake_credentials == {}


def test_the_endpoint_for_s3_wins_and_the_region_has_two_names() -> None:
    env = {"AWS_ENDPOINT_URL": "https://all", "AWS_ENDPOINT_URL_S3": "https://s3", "AWS_DEFAULT_REGION": "eu-west-1"}
    access = S3Access.from_env(env)
    assert (access.endpoint, access.region) == ("https://s3", "eu-west-1")


def test_the_default_profile_serves_where_no_variable_does(home: Path) -> None:
    access = S3Access.from_env({"HOME": str(home)})
    assert (access.access_key_id, access.secret_access_key, access.region) == ("AKIADEFAULT", "d%fault", "eu-west-1")


def test_a_named_profile_is_taken_whole(home: Path) -> None:
    access = S3Access.from_env({"HOME": str(home), "AWS_PROFILE": "team"})
    assert access == S3Access("AKIATEAM", "team", "token", "eu-central-1", "https://store.example")


def test_keys_of_variables_are_never_mixed_with_those_of_a_profile(home: Path) -> None:
    access = S3Access.from_env({**KEYS, "HOME": str(home), "AWS_PROFILE": "team"})
    assert (access.access_key_id, access.secret_access_key, access.session_token) == ("AKIA", "hush", None)


def test_a_role_of_the_machine_wins_over_the_default_profile(home: Path) -> None:
    access = S3Access.from_env({"HOME": str(home), "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token"})
    assert access.access_key_id is None


@pytest.mark.parametrize("profile", ["role", "nobody"])
def test_a_named_profile_without_keys_is_refused(home: Path, profile: str) -> None:
    with pytest.raises(CredentialsError, match=f"AWS_PROFILE names '{profile}'.*export-credentials"):
        S3Access.from_env({"HOME": str(home), "AWS_PROFILE": profile})


@pytest.mark.parametrize("name", KEYS)
def test_half_a_pair_is_refused(name: str) -> None:
    with pytest.raises(CredentialsError, match="must be set together"):
        S3Access.from_env({name: KEYS[name]})


def test_a_broken_file_is_named_but_not_quoted(home: Path) -> None:
    (home / ".aws" / "credentials").write_text("aws_secret_access_key = hush\n")
    with pytest.raises(CredentialsError, match="credentials is not a file of AWS profiles") as caught:
        S3Access.from_env({"HOME": str(home)})
    assert "hush" not in str(caught.value)


def test_keys_are_not_shown() -> None:
    assert "hush" not in repr(S3Access.from_env(KEYS))
