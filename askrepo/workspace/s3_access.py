"""How an S3 API is reached: keys, region and endpoint, from what the AWS tools would read."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from askrepo.errors import CredentialsError

# With one of these, obstore and Deep Lake fetch and renew a role's keys themselves.
_ROLE_VARIABLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True, slots=True, repr=False)
class S3Access:
    """Empty fields mean: as the libraries find out themselves (a role of the machine, the region's own endpoint).

    Never shown, since it holds keys.
    """

    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    region: str | None = None
    endpoint: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """From `AWS_*` variables, completed from the profile that `AWS_PROFILE` names, or `default`.

        Of a profile only keys, region and endpoint count: its roles and its single sign-on do not.

        :raises CredentialsError: half a pair of keys is set, or the profile that was named has none.
        """
        key, secret = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
        if bool(key) != bool(secret):
            raise CredentialsError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together, found one")
        profile = _profile(env)
        keys: Mapping[str, str] = {}
        if key and secret:
            keys = {
                "aws_access_key_id": key,
                "aws_secret_access_key": secret,
                "aws_session_token": env.get("AWS_SESSION_TOKEN", ""),
            }
        elif env.get("AWS_PROFILE") or not any(env.get(name) for name in _ROLE_VARIABLES):
            keys = profile
        return cls(
            access_key_id=keys.get("aws_access_key_id") or None,
            secret_access_key=keys.get("aws_secret_access_key") or None,
            session_token=keys.get("aws_session_token") or None,
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or profile.get("region") or None,
            endpoint=env.get("AWS_ENDPOINT_URL_S3")
            or env.get("AWS_ENDPOINT_URL")
            or profile.get("endpoint_url")
            or None,
        )

    @property
    def is_plain_http(self) -> bool:
        """Whether the endpoint is asked without encryption."""
        return (self.endpoint or "").startswith("http://")

    @property
    def deeplake_credentials(self) -> dict[str, str]:
        """As Deep Lake's functions take them."""
        values = {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
            "aws_region": self.region,
            "endpoint_url": self.endpoint,
        }
        return {name: value for name, value in values.items() if value}

    def obstore_credential(self) -> dict[str, Any]:
        """The keys, as a credential provider of obstore returns them."""
        return {
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "token": self.session_token,
            "expires_at": None,
        }


def _profile(env: Mapping[str, str]) -> Mapping[str, str]:
    """What the shared files say of the profile; nothing when none was named and there is no `default`."""
    folder = Path(env.get("HOME") or "/") / ".aws"
    name = env.get("AWS_PROFILE") or "default"
    config = Path(env.get("AWS_CONFIG_FILE") or folder / "config")
    credentials = Path(env.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials")
    values = {
        **_section(config, name if name == "default" else f"profile {name}"),
        **_section(credentials, name),
    }
    named_without_keys = env.get("AWS_PROFILE") and not values.get("aws_access_key_id")
    if named_without_keys and not env.get("AWS_ACCESS_KEY_ID"):
        raise CredentialsError(
            f"AWS_PROFILE names {name!r}, for which {credentials} and {config} have no keys; roles and single sign-on "
            "of a profile are not used: export its keys (`aws configure export-credentials --format env`)"
        )
    return values


def _section(file: Path, name: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CredentialsError(f"{file} cannot be read: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError):
        # The parser's own message would quote the line, which may hold a key.
        raise CredentialsError(f"{file} is not a file of AWS profiles") from None
    return dict(parser[name]) if parser.has_section(name) else {}
