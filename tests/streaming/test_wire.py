from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnviz_widgets.streaming import PayloadError, pack, unpack

arrays = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.sampled_from(["u1", "<u2", "<u4", "<f4"]).flatmap(
        lambda dtype: hnp.arrays(
            dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
        )
    ),
    max_size=5,
)


@given(arrays)
@settings(max_examples=100, deadline=None)
def test_arrays_come_back_bit_for_bit(given_arrays: dict[str, Any]) -> None:
    header, payload = pack({"type": "frame"}, given_arrays)
    found = unpack(header, payload)
    assert list(found) == list(given_arrays)
    for name, array in given_arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
    described: Any = header["arrays"]
    ends = 0
    for entry in described:
        assert entry["offset"] % 8 == 0
        assert 0 <= entry["offset"] - ends < 8
        ends = entry["offset"] + found[entry["name"]].nbytes
    assert len(payload) == ends


def test_a_header_by_hand() -> None:
    codes, low = np.array([[1, 2, 3]], np.uint8), np.array([1.0], np.float32)
    values: dict[str, Any] = {"codes": codes, "low": low}
    header, payload = pack({"type": "frame", "seq": 3}, values)
    assert header == {
        "type": "frame",
        "seq": 3,
        "arrays": [
            {"name": "codes", "dtype": "u1", "shape": [1, 3], "offset": 0},
            {"name": "low", "dtype": "f4", "shape": [1], "offset": 8},
        ],
    }
    assert payload == b"\x01\x02\x03" + bytes(5) + b"\x00\x00\x80\x3f"


def test_the_payload_does_not_change_with_the_arrays() -> None:
    array = np.zeros(100_000, np.uint8)
    header, payload = pack({}, {"a": array})
    array[:] = 7
    assert type(payload) is bytes
    assert not payload.strip(b"\0")
    assert not unpack(header, payload)["a"].flags.writeable


def test_arrays_in_any_memory_order_and_byte_order() -> None:
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    cases: dict[str, Any] = {
        "slices": base[::2, ::-3],
        "turned": base.T,
        "fortran": np.asfortranarray(base),
        "big endian": base.astype(">f4"),
        "big endian whole": np.arange(5, dtype=">u4"),
        "scalar": np.array(2.5, np.float32),
    }
    found = unpack(*pack({}, cases))
    for name, array in cases.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].shape == array.shape


def test_the_header_given_is_left_alone() -> None:
    given_header: dict[str, Any] = {"type": "frame"}
    pack(given_header, {"a": np.zeros(1, np.uint8)})
    assert given_header == {"type": "frame"}
    with pytest.raises(ValueError, match='header already has "arrays"'):
        pack({"arrays": []}, {})


@pytest.mark.parametrize("dtype", ["f8", "i4", "i8", "bool", "f2", "u8", "O"])
def test_other_types_are_refused(dtype: str) -> None:
    with pytest.raises(TypeError, match=r"array 'a' is .*; the wire carries uint8, uint16, uint32"):
        pack({}, {"a": np.zeros(2, dtype)})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"shape": [4]}, r"array 'low' ends at byte 16, but the payload has 12 bytes"),
        ({"shape": [2**62, 2**62]}, r"but the payload has 12 bytes"),
        ({"offset": 16, "shape": [0]}, r"ends at byte 16, but the payload has 12 bytes"),
        ({"offset": 4}, r"offset=4 of array 'low' is no multiple of 8"),
        ({"offset": -8}, r"offset=-8 of array 'low' is no multiple of 8"),
        ({"dtype": "f8"}, r"dtype='f8' of array 'low' is none of u1, u2, u4, f4"),
        ({"dtype": ["f4"]}, r"dtype=\['f4'\] of array 'low' is none of"),
        ({"shape": [-1]}, r"shape=\[-1\] of array 'low' has an entry that is no size"),
        ({"shape": [True]}, r"has an entry that is no size"),
        ({"shape": 3}, r"shape=3 of array 'low' is no list"),
        ({"name": 3}, r"name=3 of an array is no text"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(change: dict[str, Any], text: str) -> None:
    entry = {"name": "low", "dtype": "f4", "shape": [3], "offset": 0, **change}
    with pytest.raises(PayloadError, match=text):
        unpack({"arrays": [entry]}, bytes(12))


def test_headers_that_describe_nothing_are_refused() -> None:
    with pytest.raises(PayloadError, match='header has no list "arrays"'):
        unpack({"type": "err"}, b"")
    with pytest.raises(PayloadError, match=r"'low' does not describe an array"):
        unpack({"arrays": ["low"]}, b"")
    entry: Any = {"name": "low", "dtype": "u1", "shape": [1], "offset": 0}
    with pytest.raises(PayloadError, match=r"array 'low' is described twice"):
        unpack({"arrays": [entry, entry]}, b"ab")
