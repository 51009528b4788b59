// The button works only after a person could see this page for a while: a double click or a key that was meant for
// the page before presses nothing here. Without this script it never works.
const form = document.querySelector("form");
const button = form.querySelector("[type=submit]");
/** So long (milliseconds) the page must have been in sight, without a break. */
const IN_SIGHT = 1000;

let timer;
let early = false; // The press that is under way began before the button worked.
let sent = false;

function restart() {
  clearTimeout(timer);
  button.disabled = true;
  if (document.visibilityState !== "visible" || sent) return;
  timer = setTimeout(() => { button.disabled = false; }, IN_SIGHT);
}

function begin(event) {
  early = button.disabled || event.repeat === true;
}

// A window that lay below another is in sight for many browsers; that it comes to the front, the focus tells.
document.addEventListener("visibilitychange", restart);
window.addEventListener("focus", restart);
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) sent = false;
  restart();
});
window.addEventListener("pointerdown", begin, true);
window.addEventListener("keydown", begin, true);

form.addEventListener("submit", (event) => {
  if (early || sent || button.disabled) {
    event.preventDefault();
    return;
  }
  // The second press of a double click would use the launch token again.
  sent = true;
});

form.querySelector("[data-close]").addEventListener("click", () => {
  clearTimeout(timer);
  sent = true;
  window.close();
  // A tab that no script opened stays.
  document.getElementById("asking").hidden = true;
  document.getElementById("refused").hidden = false;
});
restart();
