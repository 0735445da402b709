"""One lock for each model."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from torch import nn

from cnnviz_widgets.inspection.locks import ModelBusyError, held, lock_of


def test_one_lock_per_model_which_it_does_not_keep_alive() -> None:
    model = nn.ReLU()
    assert lock_of(model) is lock_of(model)
    assert lock_of(model) is not lock_of(nn.ReLU())
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_the_same_thread_may_enter_twice_and_another_waits() -> None:
    lock = lock_of(nn.ReLU())
    errors: list[str] = []

    def enter() -> None:
        try:
            with held(lock, 0.05):
                pass
        except ModelBusyError as error:
            errors.append(str(error))

    with held(lock, None), held(lock, 0.05):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    text = "the model is busy: another cell or widget has been using it for 0.05 s; try again when"
    assert errors == [f"{text} it is done."]
    with held(lock, 0.05):
        pass


def test_the_lock_is_free_after_an_exception() -> None:
    lock = lock_of(nn.ReLU())
    with pytest.raises(ZeroDivisionError, match="division"), held(lock, None):
        _ = 1 / 0
    assert lock.acquire(timeout=0.05)
    lock.release()
