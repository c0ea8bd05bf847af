"""Every error askrepo raises on purpose.

    AskrepoError
    ├── PermanentError                 the same call fails again: do not retry
    │   ├── UsageError                 an argument or a setting is wrong
    │   │   └── UnknownPathError       no dataset has the file, or several have one
    │   ├── RepositoryError            the repository cannot be read as asked
    │   │   ├── UnknownRefError        no such branch, tag or commit
    │   │   └── LimitExceededError     larger or slower than the limits allow
    │   ├── CredentialsError           a token or key is missing or was refused
    │   ├── NothingToIndexError        no text left to build a dataset from
    │   ├── VerificationError          what was written is not what was meant
    │   ├── ShrinkingDatasetError      the new dataset is suspiciously smaller than the current one
    │   ├── SwapLostError              the alias moved while this run was building
    │   ├── UnavailableError           an alias or a dataset cannot be read
    │   │   ├── UnknownAliasError      no alias of that name
    │   │   ├── ForbiddenError         this user may not read or write it
    │   │   ├── DatasetCorruptedError  the dataset is missing or damaged
    │   │   ├── DatasetUnreadableError  it is there, and this process cannot read it
    │   │   └── EmbedderMismatchError  the dataset was built with another embedder
    │   └── RemoteRefusedError         a service refused the request as malformed
    │       └── RequestTooLongError    more was sent than its model takes
    └── TransientError                 a retry may help
        ├── RemoteUnavailableError     a host cannot be reached, timed out or answered 5xx
        ├── RateLimitedError           a service asked to slow down
        └── StorageError               the workspace or the disk failed (full, locked, offline)

A message says what was asked, what was found and what to do; it never carries a secret.
"""


class AskrepoError(Exception):
    """Base of all errors that askrepo raises on purpose."""


class PermanentError(AskrepoError):
    """The same call would fail again."""


class TransientError(AskrepoError):
    """A later try may succeed."""


class UsageError(PermanentError):
    """An argument or a setting is wrong."""


class UnknownPathError(UsageError):
    """No dataset has a file of that path, or several have one."""


class RepositoryError(PermanentError):
    """The repository cannot be read as asked."""


class UnknownRefError(RepositoryError):
    """The repository has no such branch, tag or commit."""


class LimitExceededError(RepositoryError):
    """The repository is larger, or answers slower, than the limits allow."""


class CredentialsError(PermanentError):
    """A token or key is missing or was refused."""


class NothingToIndexError(PermanentError):
    """No text is left to build a dataset from."""


class VerificationError(PermanentError):
    """What was written is not what was meant; the alias must not move."""


class ShrinkingDatasetError(PermanentError):
    """The new dataset is suspiciously smaller than the current one."""


class SwapLostError(PermanentError):
    """The alias moved while this run was building its dataset."""


class UnavailableError(PermanentError):
    """An alias or a dataset cannot be read."""


class UnknownAliasError(UnavailableError):
    """The workspace has no alias of that name."""


class ForbiddenError(UnavailableError):
    """The operating system does not let this user read or write it; nothing is damaged."""


class DatasetCorruptedError(UnavailableError):
    """The dataset is missing, incomplete or damaged."""


class DatasetUnreadableError(UnavailableError):
    """The dataset is there, and this process cannot read it: permission, memory or disk; nothing says it is damaged."""


class EmbedderMismatchError(UnavailableError):
    """The dataset was built with another embedder than the one at hand."""


class RemoteRefusedError(PermanentError):
    """A service refused the request itself (4xx other than credentials and rate limit)."""


class RequestTooLongError(RemoteRefusedError):
    """A chat model's context window is smaller than what was sent."""


class RemoteUnavailableError(TransientError):
    """A host cannot be reached, timed out or answered 5xx."""


class RateLimitedError(TransientError):
    """A service asked to slow down.

    :ivar retry_after_s: seconds the service asked to wait, None when it did not say.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageError(TransientError):
    """The workspace or the disk failed: full, locked or out of reach."""
