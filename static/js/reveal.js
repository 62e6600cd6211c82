// What does the page of whole numbers add where JavaScript runs? It counts down, and takes them away in time.
"use strict";

const revealed = document.getElementById("revealed");
const end = Date.now() + revealed.dataset.hidesIn * 1000;

function hide() {
  revealed.querySelector("[data-whole]")?.remove();
  revealed.querySelector("[data-left]").textContent = "The numbers are hidden again.";
}

function keepTime() {
  const left = Math.ceil((end - Date.now()) / 1000);
  if (left <= 0) hide();
  else revealed.querySelector("[data-left]").textContent = `They are hidden again in ${left} second${left === 1 ? "" : "s"}.`;
}

// A tab that slept may have missed the end, and a page that is gone back to must not show them once more.
setInterval(keepTime, 1000);
document.addEventListener("visibilitychange", keepTime);
addEventListener("pagehide", hide);
