"use strict";
// Without this the page shows the whole run; with it, any moment of it. `standing` in engine/timeline.py is the same.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (selector) => document.querySelector(selector);
const lanes = [...document.querySelectorAll(".lane")], lines = [...document.querySelectorAll("#lines li")];
const when = $("#when"), head = $(".head"), box = $(".box"), chart = $(".chart");
const { moments, length, marks } = data;
const words = {
  pending: "pending", in_progress: "in progress", paused: "paused", completed: "completed", failed: "failed",
  cancelled: "cancelled", skipped: "skipped",
};
let applied = 0, standing = [], shown = 0, current = -1, playing = null;
const reset = () => { applied = shown = 0; standing = lanes.map(() => ["pending", ""]); };
const clock = (t) => {
  if (t < 120 && length < 120) return `${t.toFixed(1)}s`;
  const s = Math.floor(t), two = (n) => String(n).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${two(Math.floor(s / 60) % 60)}m ${two(s % 60)}s`;
  return `${Math.floor(s / 86400)}d ${two(Math.floor(s / 3600) % 24)}h ${two(Math.floor(s / 60) % 60)}m`;
};
function paint(lane) {
  const [status, doing] = standing[lane], row = lanes[lane];
  if (row.dataset.status === status && row.dataset.words === doing) return;
  row.dataset.status = status;
  row.dataset.words = doing;
  row.querySelector(".mark").textContent = marks[status] ?? "?";
  row.querySelector(".name").title = `${data.names[lane]}: ${words[status] ?? status}${doing ? `, ${doing}` : ""}`;
}
function show(t) {
  t = Math.min(length, Math.max(0, t));
  if (applied && moments[applied - 1].t > t) reset();
  while (applied < moments.length && moments[applied].t <= t) {
    for (const [lane, status, doing] of moments[applied].set) standing[lane] = [status, doing];
    shown += moments[applied].lines;
    applied += 1;
  }
  standing.forEach((_, lane) => paint(lane));
  const counts = {};
  for (const [status] of standing) counts[status] = (counts[status] ?? 0) + 1;
  const counted = Object.keys(words).filter((word) => counts[word]).map((word) => `${counts[word]} ${words[word]}`);
  const date = new Date(Date.parse(data.began) + t * 1000).toISOString().replace("T", " ").slice(0, 19);
  $("#stand").textContent = `${clock(t)} (${date}Z) – ${applied ? moments[applied - 1].run : "pending"}: ${counted.join(", ")}`;
  const waits = standing.map(([, doing], lane) => [doing, lane]).filter(([doing]) => doing);
  $("#waits").replaceChildren(...waits.slice(0, 200).map(([doing, lane]) => {
    const entry = document.createElement("li");
    entry.textContent = `${data.names[lane]}: ${doing}`;
    return entry;
  }));
  lines.forEach((line, n) => {
    line.classList.toggle("later", n >= shown);
    line.classList.toggle("now", n === shown - 1);
  });
  const list = $("#lines"), last = lines[shown - 1];
  list.scrollTop = last ? last.offsetTop - list.offsetTop - list.clientHeight / 2 : 0;
  when.value = String(t);
  when.setAttribute("aria-valuetext", clock(t));
  place(t);
  reveal();
  current = t;
}
function reveal() { // where no open lane can be seen, the first one is brought there
  const open = lanes.filter((lane) => ["in_progress", "paused"].includes(lane.dataset.status) && lane.offsetHeight);
  const top = box.scrollTop, seen = (lane) => lane.offsetTop >= top && lane.offsetTop + lane.offsetHeight <= top + box.clientHeight;
  if (open.length && !open.some(seen)) box.scrollTop = open[0].offsetTop - box.clientHeight / 3;
}
function place(t) {
  const track = $(".axis .track"), share = length ? t / length : 1;
  head.style.left = `${track.offsetLeft + track.offsetWidth * share}px`;
}
function go(t, keep = true) {
  show(t);
  if (!keep) return;
  try { history.replaceState(null, "", `#t=${Number(current.toFixed(3))}`); } catch { /* some browsers, from a file */ }
}
function step(way) {
  const times = [...new Set(moments.map((moment) => moment.t))];
  if (way < 0) go(times.filter((t) => t < current).pop() ?? 0);
  else go(times.find((t) => t > current) ?? length);
}
function stop() {
  clearInterval(playing);
  playing = null;
  $("[data-step=play]").setAttribute("aria-pressed", "false");
  $("[data-step=play]").textContent = "Play";
}
function play() {
  if (playing) return stop();
  if (current >= length) go(0);
  $("[data-step=play]").setAttribute("aria-pressed", "true");
  $("[data-step=play]").textContent = "Pause";
  playing = setInterval(() => {
    go(current + length / 200, false);
    if (current >= length) stop();
  }, 50);
}
const steps = { first: () => go(0), last: () => go(length), play, "-1": () => step(-1), 1: () => step(1) };
for (const button of document.querySelectorAll("[data-step]")) button.addEventListener("click", steps[button.dataset.step]);
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    const zoom = Math.min(64, Math.max(1, Number(chart.style.getPropertyValue("--zoom") || 1) * Number(button.dataset.zoom)));
    chart.style.setProperty("--zoom", zoom);
    place(current);
    box.scrollLeft = parseFloat(head.style.left) - box.clientWidth / 2;
  });
}
when.addEventListener("input", () => { stop(); go(Number(when.value)); });
when.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
  if (!by) return;
  event.preventDefault();
  go(current + by * length);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const what = { ",": "-1", ".": "1", p: "play" }[event.key];
  if (what) steps[what]();
});
chart.addEventListener("click", (event) => {
  const track = $(".axis .track"), frame = track.getBoundingClientRect();
  if (event.clientX >= frame.left && !event.target.closest(".name")) go(((event.clientX - frame.left) / frame.width) * length);
});
$("#moving").addEventListener("change", (event) => { chart.classList.toggle("only", event.target.checked); });
const asked = () => { const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash); return found ? Number(found[1]) : length; };
addEventListener("hashchange", () => show(asked()));
addEventListener("resize", () => place(current));
reset();
head.hidden = $(".scrub").hidden = false;
show(asked());
