"use strict";
// Without this the picture scrolls at full size; with it, it is also dragged and zoomed.
const box = document.querySelector(".picture"), svg = box.querySelector("svg");
const width = svg.width.baseVal.value, height = svg.height.baseVal.value;
const SMALLEST = 0.05, LARGEST = 4, LEGIBLE = 0.6;
let scale = 1;
const fitsAcross = () => Math.min(1, (box.clientWidth - 4) / width);
const fits = () => Math.min(fitsAcross(), (innerHeight * 0.8 - 4) / height);
function zoom(to, x = box.clientWidth / 2, y = box.clientHeight / 2) {
  const next = Math.min(LARGEST, Math.max(SMALLEST, to)), by = next / scale;
  const left = (box.scrollLeft + x) * by - x, top = (box.scrollTop + y) * by - y;
  scale = next;
  svg.style.width = `${width * scale}px`;
  svg.style.height = `${height * scale}px`;
  box.scrollTo(left, top);
}
for (const button of document.querySelectorAll("[data-zoom]")) {
  const how = button.dataset.zoom;
  button.addEventListener("click", () => zoom(how === "fit" ? fits() : how === "full" ? 1 : scale * Number(how)));
}
box.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
  event.preventDefault();
  const frame = box.getBoundingClientRect();
  zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - frame.left, event.clientY - frame.top);
}, { passive: false });
box.addEventListener("pointermove", (event) => {
  if (event.buttons !== 1 || event.pointerType === "touch") return; // a finger scrolls by itself
  box.scrollBy(-event.movementX, -event.movementY);
});
box.addEventListener("keydown", (event) => {
  const by = { "+": 1.25, "-": 0.8 }[event.key];
  if (by) zoom(scale * by);
});
document.querySelector(".zoom").hidden = false;
const first = [fits(), fitsAcross()].find((fit) => fit >= LEGIBLE);
if (first) zoom(first, 0, 0);
const begin = svg.querySelector(".in_progress, .paused") ?? svg.querySelector("#phase0");
const frame = box.getBoundingClientRect(), node = begin.getBoundingClientRect();
box.scrollBy(
  node.left + node.width / 2 - frame.left - box.clientWidth / 2,
  node.top + node.height / 2 - frame.top - box.clientHeight / 2,
);
