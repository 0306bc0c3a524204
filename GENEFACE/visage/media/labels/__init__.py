"""Labels of what a machine made: the field ``AIGC`` in files, the mark in pictures, the rhythm in sound.

All three are those of GB 45438-2025.

Nothing here removes a label: a file that has one gets another only with what the first one said inside it.
"""

from visage.media.labels.content import content_digest
from visage.media.labels.files import LABELLED, kind_of, read_label, write_label
from visage.media.labels.label import FIELD, Label

__all__ = ["FIELD", "LABELLED", "Label", "content_digest", "kind_of", "read_label", "write_label"]
