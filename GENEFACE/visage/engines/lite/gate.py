"""The quality gate: what is wrong with a recording, where, and what would mend it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

from visage.engines.lite.findings import GateReport, Problem, problem, spans
from visage.engines.lite.gate_photo import judge_photo
from visage.engines.lite.hearing import hear
from visage.faces.pose import angles, fit_pose
from visage.faces.track import Track
from visage.media.probe import MediaInfo

__all__ = ["SHORTEST", "SMALLEST", "GateReport", "Problem", "cuts", "judge", "judge_photo"]

SHORTEST = 5.0
"""Seconds of recording below which nothing can be learnt."""
SMALLEST = 96
"""Width of a face, pixels, below which its mouth has too little detail."""
_LOST = 0.05
_TURNED, _BENT = 40.0, 35.0
"""Degrees of yaw and of pitch from which a mouth is seen too much from the side or from below."""
_SOFT, _BLURRED = 14.0, 5.0
"""Sharpness (`Track.sharpness`) below which a face looks soft, and is of no use."""


def judge(track: Track, info: MediaInfo, samples: np.ndarray) -> GateReport:
    """What is wrong with a recording, from its track, its probe and its sound (float32 mono at `SPEECH_RATE`)."""
    problems = [*_length(track), *_presence(track)]
    facts: dict[str, float | int | str] = {
        "seconds": round(track.seconds, 2), "frames": len(track), "source_fps": round(info.fps, 3),
        "source_width": info.width, "source_height": info.height, "variable_rate": int(info.variable_rate)}
    if track.found.mean() > 0.5:
        problems += [*_company(track), *_view(track), *_detail(track), *_cuts(track)]
        seen = track.found
        facts |= {"face_found": round(float(seen.mean()), 4),
                  "face_width": round(float(np.median(track.face_widths[seen]))),
                  "sharpness": round(float(np.median(track.sharpness[seen])), 1), "cuts": len(cuts(track))}
    problems += _sound(info, samples, facts)
    return GateReport(tuple(sorted(problems, key=lambda problem: not problem.fatal)), facts)


def cuts(track: Track) -> np.ndarray:
    """Frames that do not continue the one before: much more change than around, and the face jumps; int [K]."""
    if len(track) < 3:
        return np.zeros(0, int)
    usual = np.full(len(track), 0.3)
    usual[1:] = np.maximum(median_filter(track.change[1:], size=17, mode="mirror"), 0.3)
    jump = np.zeros(len(track))
    middle = track.points[:, :, :2].mean(1)
    jump[1:] = np.linalg.norm(np.diff(middle, axis=0), axis=1) / np.maximum(track.face_widths[1:], 1)
    found = np.flatnonzero((track.change > 3) & (track.change > 8 * usual) & (jump > 0.02))
    # cameras often stumble over their first frames; the frame after a cut may stand out as well
    found = found[found > 3]
    return found[np.diff(found, prepend=-track.fps) > track.fps // 5]


def _length(track: Track) -> list[Problem]:
    if track.seconds >= SHORTEST:
        return []
    return [problem("The video lasts {length} s; at least {least} s are needed.", code="video.too_short",
                    fatal=True, hint="Record half a minute of natural speech.",
                    length=round(track.seconds, 1), least=int(SHORTEST))]


def _presence(track: Track) -> list[Problem]:
    lost = ~track.found
    if lost.all():
        return [problem("There is no face in the video.", code="video.no_face_at_all", fatal=True,
                        hint="Use a video of one person who looks into the camera, in good light.")]
    if lost.mean() > _LOST:
        return [problem("No face can be seen in seconds {seconds}.", code="video.no_face", fatal=True,
                        hint="Cut these seconds out, or record again with the face always in the picture.",
                        seconds=spans(lost, track.fps), share=round(100 * float(lost.mean())))]
    if lost.sum() > 0.2 * track.fps:
        return [problem("The face is lost for a moment in seconds {seconds}.", code="video.face_lost",
                        hint="The rest is enough; a hand before the face is the usual cause.",
                        seconds=spans(lost, track.fps))]
    return []


def _company(track: Track) -> list[Problem]:
    several = (track.count > 1) & (track.second > 0.35)
    if several.mean() > 0.05:
        return [problem("Several faces can be seen in seconds {seconds}.", code="video.several_faces", fatal=True,
                        hint="Crop or cut the video so that one person is left.", seconds=spans(several, track.fps))]
    if several.sum() > 0.2 * track.fps:
        return [problem("A second face appears in seconds {seconds}.", code="video.second_face",
                        hint="The larger face is used; better crop the other away.", seconds=spans(several, track.fps))]
    return []


def _view(track: Track) -> list[Problem]:
    found, problems = track.found, []
    width = float(np.median(track.face_widths[found]))
    if width < SMALLEST:
        problems.append(problem("The face is {width} pixels wide; at least {least} are needed.",
                                code="video.face_small", fatal=True,
                                hint="Record closer to the camera, or in a higher resolution.",
                                width=int(width), least=SMALLEST))
    turned = angles(fit_pose(track.points))
    aside = found & ((np.abs(turned[:, 0]) > _TURNED) | (np.abs(turned[:, 1]) > _BENT))
    share = float(aside.mean())
    if share > 0.5:
        problems.append(problem("The head is turned away in seconds {seconds}.", code="video.turned_away", fatal=True,
                                hint="Look towards the camera while recording.", seconds=spans(aside, track.fps)))
    elif share > 0.1:
        problems.append(problem("The head is turned far to the side in seconds {seconds}.", code="video.turned",
                                hint="The mouth is learnt less well there; looking towards the camera helps.",
                                seconds=spans(aside, track.fps)))
    left, low = track.points[found][:, :, :2].min(1).T
    right, bottom = track.points[found][:, :, :2].max(1).T
    room = 0.1 * width
    outside = np.zeros(len(track), bool)
    outside[found] = ((left < -room) | (low < -2 * room) | (right > track.width + room)
                      | (bottom > track.height + room / 2))
    if outside.mean() > 0.1:
        problems.append(problem("The border cuts into the face in seconds {seconds}.", code="video.face_cut_off",
                                fatal=bool(outside.mean() > 0.5), hint="Keep the whole face inside the picture.",
                                seconds=spans(outside, track.fps)))
    return problems


def _detail(track: Track) -> list[Problem]:
    sharp = track.sharpness[track.found]
    middle = float(np.median(sharp))
    if middle < _BLURRED:
        return [problem("The face is too blurred to learn from.", code="video.blurred", fatal=True,
                        hint="Clean the lens, add light, let the camera focus, then record again.")]
    if middle < _SOFT:
        return [problem("The face is rather soft; the result will be as well.", code="video.soft",
                        hint="More light and a clean lens give a sharper face.")]
    return []


def _cuts(track: Track) -> list[Problem]:
    found = cuts(track)
    if not len(found):
        return []
    where = ", ".join(f"{frame / track.fps:.1f}" for frame in found[:8]) + (" …" if len(found) > 8 else "")
    return [problem("The video is cut at {seconds} s.", code="video.cut", seconds=where, count=len(found),
                    hint="One piece without cuts gives a steadier result.")]


def _sound(info: MediaInfo, samples: np.ndarray, facts: dict[str, float | int | str]) -> list[Problem]:
    if not info.has_sound or not len(samples):
        return [problem("The video has no sound.", code="video.no_sound", fatal=True,
                        hint="Record with the microphone on: the mouth is learnt together with the voice.")]
    heard = hear(samples)
    facts |= {"sound_level": round(heard.level, 1), "voiced": round(heard.voiced, 3)}
    if heard.silent:
        return [problem("The sound of the video is silent.", code="video.silent", fatal=True,
                        hint="Check the microphone and record again.")]
    if not heard.speech:
        return [problem("No speech can be heard in the video, only other sound.", code="video.other_sound", fatal=True,
                        hint="Use a recording of one clear voice without music.")]
    return []
