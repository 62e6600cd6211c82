// How do open pages stay up to date and calm? Parts with data-polls ask again; nothing moves under the reader.
"use strict";

const OFTEN = 3_000, SELDOM = 30_000;
let pause = OFTEN;
let timer = setTimeout(poll, pause);
// What the swap that is going on must not lose.
let kept = null;

const isPolled = (part) => part?.matches?.("[data-polls]") ?? false;

// A part is left alone while somebody writes or marks text in it, or has a menu or a dialog of it open.
function isBusy(part) {
  const here = document.activeElement, marked = getSelection();
  const writes = part.contains(here) && here.matches("input, select, textarea");
  const marks = !marked.isCollapsed && part.contains(marked.anchorNode);
  return writes || marks || part.querySelector("details[open]:not([id]), dialog[open]") !== null;
}

// Each round waits twice as long as the one before, until something has changed.
function poll() {
  clearTimeout(timer);
  if (document.hidden) return;
  pause = Math.min(2 * pause, SELDOM);
  timer = setTimeout(poll, pause);
  for (const part of document.querySelectorAll("[data-polls]")) if (!isBusy(part)) htmx.trigger(part, "portal:poll");
}

function pollOften() {
  clearTimeout(timer);
  pause = OFTEN;
  timer = setTimeout(poll, pause);
}

const reachable = (row) => [...row.querySelectorAll("a, button, summary")];

function keep(part) {
  const here = document.activeElement;
  const row = part.contains(here) ? here.closest("[id]") : null;
  // Only who has scrolled reads something that could be moved; at the top, what is new may come in.
  const read = scrollY > 0 ? [...document.querySelectorAll("main [id]")] : [];
  const places = read.filter((each) => each.checkVisibility()).map((each) => [each.id, each.getBoundingClientRect().top]);
  const further = [...part.querySelectorAll("tbody ~ tbody")];
  kept = {
    id: part.id,
    further,
    folds: [...part.querySelectorAll("details[id]")].map((each) => [each.id, each.open]),
    focus: row && { id: row.id, at: row === here ? -1 : reachable(row).indexOf(here) },
    places: places.filter(([, top]) => top >= 0 && top < innerHeight),
  };
  // What was loaded below goes on below; htmx must not clean it up.
  further.forEach((each) => each.remove());
}

function putBack({ id, further, folds, focus, places }) {
  const table = document.getElementById(id)?.querySelector("table");
  // The link to what is below has been used; htmx would take it for seen again.
  if (further.length) table?.querySelector("tr.more")?.remove();
  table?.append(...further);
  for (const [fold, open] of folds) document.getElementById(fold)?.toggleAttribute("open", open);
  const row = focus && document.getElementById(focus.id);
  if (row) (focus.at < 0 ? row : reachable(row)[focus.at])?.focus({ preventScroll: true });
  const [still, top] = places.find(([place]) => document.getElementById(place)) ?? [];
  if (still) scrollBy(0, document.getElementById(still).getBoundingClientRect().top - top);
}

document.addEventListener("visibilitychange", () => {
  pause = OFTEN / 2;
  poll();
});

// Further down, or with more loaded, new rows are announced instead of put in.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const isHeld = scrollY > 0 || detail.elt.querySelector("tbody ~ tbody") !== null;
  if (isPolled(detail.elt) && isHeld) detail.parameters.held = "yes";
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isPolled(detail.target) || !detail.shouldSwap) return;
  if (isPolled(detail.requestConfig.elt) && isBusy(detail.target)) detail.shouldSwap = false;
  else keep(detail.target);
});

document.addEventListener("htmx:afterSwap", () => {
  if (kept) putBack(kept);
  kept = null;
});

// Of a part that was swapped, the event names what stands around it.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!isPolled(detail.requestConfig.elt)) return;
  document.getElementById("stale").hidden = detail.successful;
  if (detail.xhr.status === 200) pollOften();
});
