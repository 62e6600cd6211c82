// What does the template editor add where JavaScript runs? Chips that insert, swaps in place, marks that keep up.
"use strict";

const body = document.getElementById("body");

// The marks lie behind the text, so they must scroll with it, and hide while they are older than what is typed.
const marks = () => document.getElementById("marks");
const keepUp = () => marks().scrollTo(body.scrollLeft, body.scrollTop);

// Python counts code points and a text field counts UTF-16 units.
const unitsBefore = (place) => [...body.value].slice(0, place).join("").length;

function write(text, from, to) {
  body.focus();
  body.setRangeText(text, from, to, "end");
  body.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

// What stands in braces is a placeholder and no text.
const outsideBraces = (text, change) => text.replace(/\{[^{}]*\}|[^{]+|\{/g, (piece) => (/^\{.*\}$/s.test(piece) ? piece : change(piece)));

function swap(buttons) {
  const changed = outsideBraces(body.value, (piece) =>
    buttons.reduce((text, button) => text.replaceAll(button.value, button.dataset.with), piece),
  );
  write(changed, 0, body.value.length);
}

function mend(button) {
  write(button.dataset.with, unitsBefore(button.dataset.from), unitsBefore(button.dataset.to));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-inserts], [name='swap'], [name='mend']");
  if (!button) return;
  event.preventDefault();
  if (button.dataset.inserts) write(button.dataset.inserts, body.selectionStart, body.selectionEnd);
  else if (button.name === "mend") mend(button);
  else swap(button.value === "all" ? [...document.querySelectorAll("[name='swap'][data-with]")] : [button]);
});

body.addEventListener("input", () => marks().classList.add("is-stale"));
body.addEventListener("scroll", keepUp);
document.addEventListener("htmx:oobAfterSwap", keepUp);

// What was typed and not saved is not lost without a question.
const loaded = body.value;
let leaves = false;
body.form.addEventListener("submit", () => (leaves = true));
addEventListener("beforeunload", (event) => {
  if (!leaves && body.value !== loaded) event.preventDefault();
});
