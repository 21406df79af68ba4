"""Every error AION raises on purpose.

AionError
├── SettingsError           a setting has a value AION cannot work with
├── SourceError             a source is unknown, or what was given cannot be one
├── QuotaError              as much as the settings allow is there already
├── FetchError              a resource could not be fetched
│   ├── BlockedAddressError the address is not public and not on the allow-list
│   └── TransientFetchError it may succeed later (time-out, 5xx, connection reset)
├── ParseError              a document could not be parsed; carries the quarantine reason
├── StalledError            work on one document made no progress in time
├── CurationError           a curation decision names something that is not there
├── LakeError               a Lance table could not be read or written
│   └── DiskFullError       no space is left; the last good state is kept
├── DatabaseError           the relational database could not be reached or is of another version
├── ReleaseError            a release cannot be made or read
│   ├── NoReleaseError      nothing has been released yet
│   ├── DamagedReleaseError what is stored of a release cannot be read any more
│   └── GateBlockedError    a structural gate failed; the previous release keeps serving
├── EmbedderError           the embedding model cannot be loaded, or is not the one expected
│   └── AdaptedModelError   a model that was adapted in this home is gone or altered
├── GeneratorError          a language model cannot be loaded, or failed while it wrote
│   ├── ContextTooLongError the messages leave no room for an answer in the model's window
│   ├── UnsupportedTextError nothing that a model wrote is supported by a passage
│   └── AdapterError        an adapter is not what its record says, or is for another base model
├── TrainingDataError       rows cannot be trained on, or teach nothing
├── TrainingPlanError       a training run does not fit into this machine
├── AnswerNotFoundError     no answer has this id
├── FeedbackError           what was said of an answer says nothing
├── CorrectionError         a correction is not there, or cannot be decided so
├── TrainingError           a training run cannot be started, found or ended well
│   └── TrainingUnderWayError  another one is under way
└── PrefixError             the beginning of an id is too short, or several ids begin so
"""

import errno

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class AionError(Exception):
    """Base of all errors meant for a person: what is wrong, with the value, and the next step."""

    def __init__(self, what: str, next_step: str = "") -> None:
        self.what = what
        self.next_step = next_step
        super().__init__(f"{what} {next_step}".strip())


class SettingsError(AionError):
    pass


class SourceError(AionError):
    pass


class QuotaError(AionError):
    pass


class FetchError(AionError):
    pass


class BlockedAddressError(FetchError):
    pass


class TransientFetchError(FetchError):
    pass


class ParseError(AionError):
    """`reason` is one of `aion_assets.core.records.QuarantineReason`."""

    def __init__(self, reason: str, what: str, next_step: str = "") -> None:
        self.reason = reason
        super().__init__(what, next_step)


class StalledError(AionError):
    pass


class CurationError(AionError):
    pass


class LakeError(AionError):
    pass


class DiskFullError(LakeError):
    pass


class DatabaseError(AionError):
    pass


class ReleaseError(AionError):
    pass


class NoReleaseError(ReleaseError):
    pass


class DamagedReleaseError(ReleaseError):
    pass


class GateBlockedError(ReleaseError):
    pass


class EmbedderError(AionError):
    pass


class AdaptedModelError(EmbedderError):
    pass


class GeneratorError(AionError):
    pass


class ContextTooLongError(GeneratorError):
    """`tokens` are those of the messages, `window` those that the model reads and writes together."""

    def __init__(self, tokens: int, window: int) -> None:
        self.tokens, self.window = tokens, window
        super().__init__(
            f"The messages have {tokens} tokens, and the model's window {window}.", "Send fewer or shorter passages."
        )


class UnsupportedTextError(GeneratorError):
    pass


class AdapterError(GeneratorError):
    pass


class TrainingDataError(AionError):
    pass


class TrainingPlanError(AionError):
    pass


class AnswerNotFoundError(AionError):
    pass


class FeedbackError(AionError):
    pass


class CorrectionError(AionError):
    pass


class TrainingError(AionError):
    pass


class TrainingUnderWayError(TrainingError):
    pass


class TrainingStoreError(TrainingError):
    pass


class PrefixError(AionError):
    pass


def names_of(kind: type[AionError]) -> frozenset[str]:
    """Names of the class and all its subclasses. Of an error from another process only the name arrives."""
    return frozenset({kind.__name__}).union(*map(names_of, kind.__subclasses__()))


def disk_trouble(error: OSError, what: str) -> AionError | None:
    """An error of the operating system in words for a person, if a full, read-only or forbidden disk is the cause.

    `what` cannot be done; it is worded to be followed by the reason.
    """
    if error.errno in _FULL:
        return DiskFullError(
            f"{what}: no space is left.", "Free some space and try again: the last good state is kept."
        )
    if error.errno in _CLOSED:
        return SettingsError(f"{what}: {error.strerror}.", "Make it writable, or set another AION_HOME.")
    return None
