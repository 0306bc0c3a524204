"""High dynamic range: an HDR10 and an HLG clip come out with the light that their standards tell, in BT.709."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.visage.swap_stand_in import StandIn, identity
from visage.media.frames import read_video
from visage.media.hdr import toned
from visage.swap.options import SwapOptions, SwapRequest
from visage.swap.pipeline import swap_file

FIELDS = {"half": (101.5,) * 3, "white": (203.0,) * 3, "bright": (1000.0,) * 3, "dark": (2.03,) * 3,
          "red": (81.2, 0.0, 0.0), "green": (0.0, 81.2, 0.0)}
"""Light of six fields in cd/m², red, green and blue of BT.709."""
SHOWN = {"half": (191,) * 3, "white": (239,) * 3, "bright": (255,) * 3, "dark": (37,) * 3, "red": (174, 0, 0),
         "green": (0, 174, 0)}
"""What a screen of BT.709 gets: 255 times the 2.4th root of the share of 203 cd/m², white at 0.853."""
TO_2020 = np.array([[0.627404, 0.329283, 0.043313], [0.069097, 0.919541, 0.011362], [0.016391, 0.088013, 0.895595]])


def pq(light: np.ndarray) -> np.ndarray:
    power = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: np.ndarray) -> np.ndarray:
    luma = light @ np.array([0.2627, 0.678, 0.0593]) / 1000
    scene = light / 1000 * np.maximum(luma, 1e-9)[..., None] ** (1 / 1.2 - 1)
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene),
                    0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073)


def made(path: Path, curve: int) -> Path:
    """Three frames of 96 by 64: six fields, encoded with ten bits."""
    light = np.repeat(np.repeat(np.array(list(FIELDS.values())).reshape(2, 3, 3) @ TO_2020.T, 32, 0), 32, 1)
    codes = np.round((pq if curve == 16 else hlg)(light) * 65535).astype(np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"crf": "6", "x265-params": "log-level=error"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        codec = stream.codec_context
        codec.color_primaries, codec.color_trc, codec.colorspace, codec.color_range = 9, curve, 9, 1
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(codes, "rgb48le").reformat(format="yuv420p10le", dst_colorspace=9)
            frame.color_trc, frame.color_primaries = curve, 9
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("curve", "name"), [(16, "PQ"), (18, "HLG")])
def test_light_is_brought_to_standard_range_and_it_is_said(tmp_path: Path, curve: int, name: str) -> None:
    target = made(tmp_path / "hdr.mp4", curve)
    swapper = StandIn()
    asked = SwapRequest(target, tmp_path / "out.mp4", SwapOptions(quality=95, strength=0.0), tmp_path)
    result = swap_file(asked, swapper, identity(swapper))
    assert result.frames_out == 3 and any(name in note and "BT.709" in note for note in result.notes)
    with av.open(str(result.out)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.color_primaries, codec.color_trc, codec.colorspace, codec.color_range) == (1, 1, 1, 1)
    frame = next(read_video(result.out)).astype(float)
    for place, field in enumerate(FIELDS):
        top, left = place // 3 * 32, place % 3 * 32
        found = frame[top + 10:top + 22, left + 10:left + 22].mean((0, 1))
        # near black a step of ten bits is many grey levels: 20 of them are 0.2 % of white
        room = np.where(np.equal(SHOWN[field], 0), 20, 9)
        assert (np.abs(found - SHOWN[field]) < room).all(), f"{field} is {found.round()}"


def test_a_brighter_light_never_comes_out_darker() -> None:
    for curve in (16, 18):
        ramp = np.repeat(np.arange(0, 65536, 64, dtype=np.uint16)[None, :, None], 3, 2)
        shown = toned(ramp, curve)[0].astype(int)
        assert (np.diff(shown, axis=0) >= 0).all() and shown[0].max() == 0 and shown[-1].min() >= 254
        assert np.ptp(shown, axis=1).max() <= 1, "grey is not grey any more"
