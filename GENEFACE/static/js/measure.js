// What a live conversation measures about itself, by the browser's own clock.
//
// `window.visageLive` is read by the benchmark and the tests:
//   state          what the page shows: "ready", "listening", "hearing", "thinking", "speaking", "held" …
//   session        the server's id of this session, "" while there is none
//   turns          [{turn, typed, first_frame_ms, play_ms, stages, stalls, seconds}]: `first_frame_ms` from the end of
//                  the user's speech in the microphone (typed: from sending) to the first talking frame on the screen,
//                  `play_ms` from the arrival of the first fragment, `stages` as in docs/live.md (null until the turn is
//                  over), `stalls` how often the picture waited for data, `seconds` the length of its video
//   offsets        ms, one a presented frame: where the sound is at the moment the frame is shown, minus the frame's own
//                  time; positive when the picture is late
//   interruptions  [{turn, ms, by, kept}]: ms from the onset of speech in the microphone to sound and picture standing
//                  still (`by` "voice") or from the key press (`by` "button"); `kept` false when the server said that it
//                  was nothing
//   stalls         of all turns together
const KEEP_OFFSETS = 200_000;

export class Measure {
  constructor() {
    this.surface = { state: "", session: "", turns: [], offsets: [], interruptions: [], stalls: 0 };
    window.visageLive = this.surface;
  }

  /** The entry of a turn, made when it is first asked for. */
  turn(number) {
    const { turns, session } = this.surface;
    let found = turns.findLast((each) => each.turn === number && each.session === session);
    if (!found) {
      found = { turn: number, session, typed: false, first_frame_ms: null, play_ms: null, stages: null, stalls: 0, seconds: null };
      turns.push(found);
    }
    return found;
  }

  offset(ms) {
    const { offsets } = this.surface;
    if (offsets.length < KEEP_OFFSETS) offsets.push(ms);
  }

  stall(number) {
    this.turn(number).stalls += 1;
    this.surface.stalls += 1;
  }

  interrupted(turn, ms, by) { this.surface.interruptions.push({ turn, ms, by, kept: true }); }

  /** The last interruption was none. */
  resumed() {
    const last = this.surface.interruptions.at(-1);
    if (last) last.kept = false;
  }
}
