// Swap: a picture or video and a photo of somebody who agrees in, the same with that face out.
import { get } from "./api.js";
import { Appearance } from "./appearance.js";
import { clips } from "./clips.js";
import { consentList } from "./consentlist.js";
import { $, fill } from "./dom.js";
import { FootagePicker } from "./footage.js";
import { showJob } from "./jobpanel.js";
import { ended, recent, start } from "./jobs.js";
import { notice } from "./problems.js";
import { SwapFaces } from "./swapfaces.js";
import { SwapOptions } from "./swapoptions.js";
import { resultList, showPace, showResult } from "./swapresult.js";

const WORDS = { drop: "swap.drop", help: "swap.drop_help", choose: "swap.choose", accept: "video/*,image/*,.heic,.avif", pictures: true };
const panel = $("#job"), found = $("#found"), nothing = $("#nothing"), problem = $("#problem"), pace = $("#pace");
let told = null, options = null, target = null, shown = null, face = false, busy = false, leave = null, opened = null;

/** The number E01 to E14 of a failure, as the server's table has it. */
const numberOf = (error) => (told?.faults.find((row) => row.codes.some((code) => error.code?.startsWith(code)))
  ?? told?.faults.find((row) => !row.codes.length && row.kinds.includes(error.kind)))?.number ?? "";

const faces = new SwapFaces($("#which"), numberOf);
const picker = new FootagePicker($("#target"), "target", (source, look) => {
  target = source;
  shown = look;
  faces.use(source, look);
  $("#which-field").hidden = $("#which").hidden;
  ready();
}, WORDS);
new Appearance($("#whose"), ["another", "clearer"], (value) => { face = value; ready(); });
const again = consentList($("#consents"), erased);

function ready() {
  options?.show({ swapping: face === false || Boolean(face?.photos.length), video: !shown || shown.kind === "video" });
  $("#start").disabled = busy || !options || !target || face === false;
}

function failed(error) {
  fill(problem, notice(error, { number: numberOf(error) }));
  problem.scrollIntoView({ block: "nearest" });
}

$("#swap").addEventListener("submit", async (event) => {
  event.preventDefault();
  if ($("#start").disabled) return;
  fill(problem);
  busy = true;
  ready();
  try {
    follow(await start("swap", { target, photos: face.photos, consent: face.consent ?? "", ...faces.value, ...options.value() }));
  } catch (error) {
    busy = false;
    ready();
    failed(error);
  }
});

/** Show a job until it ends, then what it made. */
function follow(job) {
  leave?.();
  busy = true;
  ready();
  history.replaceState(null, "", `#job=${job.id}`);
  found.hidden = nothing.hidden = true;
  fill(found);
  leave = showJob(panel, job, { change: (now) => showPace(pace, now), end: finished, retry: follow, number: numberOf });
  $("#outcome").scrollIntoView({ block: "nearest" });
}

function finished(job) {
  busy = false;
  ready();
  pace.hidden = true;
  if (job.state !== "succeeded") return;
  leave?.();
  leave = null;
  open(job);
  again();
  resultList($("#results"), open);
}

function open(job) {
  opened = job;
  nothing.hidden = true;
  if (!busy) { leave?.(); leave = null; }
  history.replaceState(null, "", `#job=${job.id}`);
  showResult(found, job);
  const { top, bottom } = found.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) found.scrollIntoView({ block: "start", behavior: "smooth" });
}

/** What was made under a consent is gone: so is what shows it. */
function erased(consent) {
  if (opened?.result.consent === consent) {
    opened = null;
    found.hidden = true;
    fill(found);
    nothing.hidden = false;
    history.replaceState(null, "", location.pathname);
  }
  resultList($("#results"), open);
  clips().then((made) => picker.list(made)).catch(() => {});
}

async function begin() {
  try {
    const [there, made] = await Promise.all([get("/api/faceswap"), clips()]);
    told = there;
    options = new SwapOptions($("#options"), told);
    picker.list(made);
    ready();
    const clip = made.find((one) => one.id === new URLSearchParams(location.search).get("clip"));
    if (clip) picker.useClip(clip);
    const asked = location.hash.match(/^#job=(\w+)/)?.[1];
    const job = asked ? await get(`/api/jobs/${asked}`).catch(() => null) : (await recent(["swap"])).find((one) => !ended(one));
    if (job?.state === "succeeded") open(job);
    else if (job) follow(job);
  } catch (error) { fill(problem, notice(error, { retry: () => { fill(problem); begin(); } })); }
}
document.addEventListener("connection", ({ detail }) => { if (!detail.away && !told) begin(); });
resultList($("#results"), open);
begin();
