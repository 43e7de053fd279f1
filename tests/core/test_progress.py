import pytest

from polytempo.core.errors import CancelledError
from polytempo.core.progress import Progress, cancel_if, silent


def test_silent_takes_progress() -> None:
    silent(Progress(stage="t", done=1, total=2))


@pytest.mark.refusal
def test_cancel() -> None:
    cancel_if(False, where="t")
    with pytest.raises(CancelledError, match=r"^t: stopped as asked\. Run the same command again to resume\.$"):
        cancel_if(True, where="t")
