// Small tools: variables to insert, parts to fold, an order to drag, colours to pick, texts to copy, times as they are here.
import { order } from "./order.js";

/** Furnishes what is on the page. */
export function furnish() {
  for (const item of document.querySelectorAll("[data-with-script]")) item.hidden = false;
  for (const item of document.querySelectorAll("[data-without-script]")) item.hidden = true;
  showRoom();
  chips();
  folds();
  order();
  copies();
  uses();
  times();
  for (const text of document.querySelectorAll(".colour input[type=text]")) pick(text);
  document.addEventListener("studio:redrawn", () => { uses(); times(); });
  // "Saved" is said once: a page that is loaded again has saved nothing.
  if (document.querySelector("[data-flash]")) {
    const url = new URL(location.href);
    for (const name of ["saved", "moved", "way", "published", "rebased", "undone", "discarded", "removed"]) url.searchParams.delete(name);
    history.replaceState(null, "", url);
  }
}

/** Scrolls the row of rooms, which is wider than a phone, to the one that is open. */
function showRoom() {
  const here = document.querySelector(".rooms [aria-current]");
  const row = here?.closest("ul");
  if (row) row.scrollLeft += here.getBoundingClientRect().right - row.getBoundingClientRect().right;
}

function chips() {
  let last = document.querySelector("textarea[name=now]");
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches("textarea[name=now]")) last = target;
  });
  for (const code of document.querySelectorAll("[data-chip]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = code.dataset.chip;
    button.ariaLabel = `Insert ${code.dataset.chip}`;
    button.addEventListener("click", () => {
      last.focus();
      last.setRangeText(code.dataset.chip, last.selectionStart, last.selectionEnd, "end");
      last.dispatchEvent(new Event("input", { bubbles: true }));
    });
    code.replaceWith(button);
  }
}

/** Opens and closes all parts at once; a link into a part that is closed opens it. */
function folds() {
  const parts = [...document.querySelectorAll("details.section")];
  for (const button of document.querySelectorAll("[data-fold]")) {
    button.addEventListener("click", () => {
      for (const part of parts) part.open = button.dataset.fold === "open";
    });
  }
  const reveal = () => {
    const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const part = wanted && wanted.closest("details");
    if (!part || part.open) return;
    part.open = true;
    wanted.scrollIntoView({ block: "center" });
    wanted.focus();
  };
  addEventListener("hashchange", reveal);
  reveal();
}

function copies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const told = document.querySelector("[data-copied]");
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        told.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        told.textContent = "Selected: copy it with your browser";
      }
    });
  }
}

function uses() {
  for (const button of document.querySelectorAll("[data-use]:not([data-ready])")) {
    button.dataset.ready = "";
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const control = document.getElementById(button.dataset.use);
      control.value = button.dataset.colour;
      control.focus();
      control.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

function times() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const words = new Date(time.dateTime).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
    if (time.textContent !== words) time.textContent = words;
  }
}

function pick(text) {
  const picker = document.createElement("input");
  picker.type = "color";
  picker.ariaLabel = `Pick: ${text.labels[0].textContent}`;
  text.nextElementSibling.replaceWith(picker);
  const follow = () => {
    const colour = text.value || text.placeholder;
    const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(colour);
    const whole = short ? `#${short.slice(1).map((digit) => digit + digit).join("")}` : colour;
    if (/^#[0-9a-f]{6}$/i.test(whole)) picker.value = whole;
  };
  text.addEventListener("input", follow);
  text.addEventListener("change", follow);
  document.addEventListener("studio:redrawn", follow); // What holds without a colour of its own may be another now.
  picker.addEventListener("input", () => {
    text.value = picker.value;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  follow();
}
