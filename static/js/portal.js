// What does the portal add where JavaScript runs? Copying, keys, focus, the zone. Every page works without it.
"use strict";

const root = document.documentElement;
root.classList.add("scripted");

const quiet = matchMedia("(prefers-reduced-motion: reduce)");

function say(text) {
  const voice = document.getElementById("voice");
  if (voice) voice.textContent = text;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const word = button.querySelector("[data-word]");
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    word.textContent = "Copied";
    say("Copied");
  } catch {
    // Without HTTPS browsers refuse the clipboard; a selection lets the person copy it by hand.
    getSelection().selectAllChildren(source);
    word.textContent = "Selected";
    say("Selected. Copy it with your keyboard.");
  }
  setTimeout(() => (word.textContent = "Copy"), 2000);
}

function focusOnErrors(within) {
  const found = within.querySelector("[data-focus]");
  if (found) found.focus();
}

// Down leads from the search box to the first row too.
function moveBetweenRows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const here = event.target.closest?.("a.row-target, [role='search'] input[type='search']");
  if (!step || !here) return;
  const table = here.closest("table") || document.querySelector("#results table");
  const rows = [...(table?.querySelectorAll("a.row-target") ?? [])];
  const next = rows[rows.indexOf(here) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest", behavior: quiet.matches ? "auto" : "smooth" });
}

// "/" leads to the search box of the page, except where somebody is writing.
function focusOnSearch(event) {
  const box = document.querySelector("[role='search'] input[type='search']");
  const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || writes || !box) return;
  event.preventDefault();
  box.focus();
  box.select();
}

function narrow(list, wanted) {
  const words = wanted.trim().toLocaleLowerCase();
  let shown = 0;
  for (const choice of list.querySelectorAll(".choice")) {
    choice.hidden = !choice.textContent.toLocaleLowerCase().includes(words);
    shown += choice.hidden ? 0 : 1;
  }
  say(`${shown} shown`);
}

// The server words times in the person's own zone. Until it has been told which that is, they say UTC.
function tellZone() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `tz=${timeZone}; path=/; max-age=31536000; samesite=lax${secure}`;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (button) copy(button);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && location.hash === "#rail") {
    location.hash = "#content";
    document.querySelector(".bar a[href='#rail']").focus();
  }
  moveBetweenRows(event);
  focusOnSearch(event);
});

document.addEventListener("input", (event) => {
  const list = document.getElementById(event.target.dataset.narrows);
  if (list) narrow(list, event.target.value);
});

// The link to the drawer moves the focus into it, as a dialog would.
addEventListener("hashchange", () => {
  if (location.hash === "#rail") document.getElementById("rail").focus();
});

// What the page asks for by itself is no wait of the person's.
let running = 0;
function count(event, change) {
  if (event.detail.requestConfig.elt.matches("[data-polls]")) return;
  running = Math.max(0, running + change);
  root.classList.toggle("loading", running > 0);
}

document.addEventListener("htmx:beforeRequest", (event) => count(event, 1));
document.addEventListener("htmx:afterRequest", (event) => count(event, -1));
document.addEventListener("htmx:afterSettle", (event) => {
  focusOnErrors(event.detail.elt);
  const news = event.detail.elt.dataset?.news;
  if (news) say(news);
});
for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(failure, (event) => {
    if (event.detail.xhr?.status === 422 || event.detail.elt.matches("[data-polls]")) return;
    document.getElementById("trouble").hidden = false;
  });
}

// The answer to a POST that shows a secret once must not be posted again by a reload.
const settled = document.querySelector("[data-settles-at]");
if (settled) history.replaceState(null, "", settled.dataset.settlesAt);

tellZone();
focusOnErrors(document);
