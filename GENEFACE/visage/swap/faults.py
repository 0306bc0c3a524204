"""The error numbers E01 to E14 of face swapping: one table over the errors of `visage.errors`."""

from __future__ import annotations

from dataclasses import dataclass

from visage import errors as tree


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table."""

    number: str
    """``"E01"`` … ``"E14"``."""
    stage: str
    """The stage of the pipeline where it arises: input, models, detect, encode, swap, post, trust, upload, job."""
    kind: type[tree.VisageError]
    """The class of errors raised for it."""
    codes: tuple[str, ...]
    """Beginnings of their ``code``; empty: every error of that class."""
    cause: str
    """What happened."""
    remedy: str
    """What to do next."""
    http: int
    """Status of an HTTP answer."""
    exit: int
    """Exit code of a command: 1 failed, 2 bad arguments, 3 refused, 4 stopped."""


FAULTS = (
    Fault("E01", "input", tree.BadMedia, (), "The input cannot be read, or is of a kind that is not taken.",
          "Save it again as JPEG, PNG, WebP or MP4.", 422, 2),
    Fault("E02", "models", tree.NotInstalled, ("swap.model",), "A model is missing, unreadable or damaged.",
          "Import it with the models command, or choose the engine named basic.", 424, 2),
    Fault("E03", "models", tree.NotInstalled, ("swap.provider",), "Another provider than the wanted one computes.",
          "Install what the message names, or allow the fallback.", 424, 2),
    Fault("E04", "swap", tree.OutOfMemory, (), "The memory of the device is exhausted.",
          "Choose a smaller picture size, fewer faces at once or the CPU.", 507, 1),
    Fault("E05", "detect", tree.BadImage, ("swap.no_face",), "There is no face in the source, target or reference.",
          "Use a clear, bright picture from the front, or mark five points by hand.", 422, 1),
    Fault("E06", "encode", tree.InvalidRequest, ("swap.spaces_mixed",), "Embeddings of two models were mixed.",
          "Make the identity again with the engine in use.", 422, 1),
    Fault("E07", "post", tree.ToolFailed, (), "ffmpeg failed; its command line and its last lines are kept.",
          "Read the last lines; choose another encoder or container.", 500, 1),
    Fault("E08", "models", tree.NotInstalled, ("swap.architecture",), "The GPU is not one that the build was made for.",
          "Use the CPU, or a build that names this GPU.", 424, 2),
    Fault("E09", "trust", tree.Refused, ("consent.", "label."), "A consent or a label is missing.",
          "Record the consent of the person first.", 403, 3),
    Fault("E10", "trust", tree.Refused, ("content.",), "The content was refused.",
          "Use other material.", 403, 3),
    Fault("E11", "upload", tree.ServiceError, (), "The result could not be handed to another server.",
          "The file is kept here; check the address and the keys.", 502, 1),
    Fault("E12", "job", tree.Cancelled, (), "It was stopped, or took longer than allowed.",
          "Start it again; what was finished is not done twice.", 409, 4),
    Fault("E13", "post", tree.OutputInvalid, (), "The output is missing, does not probe, or is of another length.",
          "Look at the job's log; the input is untouched.", 500, 1),
    Fault("E14", "swap", tree.BadVideo, ("swap.too_many_skipped",), "Too many frames could not be worked on.",
          "Raise the limit, or use a clearer recording.", 422, 1),
)
"""All rows, by number."""


def fault_of(error: tree.VisageError) -> Fault | None:
    """The row of an error: that which names its code, else that of its class; None for errors of other parts."""
    for fault in FAULTS:
        if fault.codes and error.code.startswith(fault.codes):
            return fault
    for fault in FAULTS:
        if not fault.codes and isinstance(error, fault.kind):
            return fault
    return None


def kinds_of(fault: Fault) -> list[str]:
    """Names of the classes of errors that the row is about."""
    found = [fault.kind]
    for kind in found:
        found += kind.__subclasses__()
    return [kind.__name__ for kind in found]


def exit_code(error: tree.VisageError) -> int:
    """What a command ends with: the row's, else 2 for what was asked wrongly and 1 for everything else."""
    fault = fault_of(error)
    if fault:
        return fault.exit
    return 2 if isinstance(error, tree.InvalidRequest | tree.NotFound | tree.NotInstalled) else 1
