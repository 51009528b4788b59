// The sign-in cannot begin yet: a program restarts. Hands in the launch again by itself, as long as the server asks to.
const form = document.querySelector("form");
const wait = Number(document.body.dataset.seconds) * 1000;

let timer;
let sent = false;

function again() {
  if (sent) return;
  sent = true;
  form.submit();
}

function begin() {
  clearTimeout(timer);
  sent = false;
  // Not all windows that wait at the same moment.
  timer = setTimeout(again, wait * (1 + Math.random() / 4));
}

form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  if (sent) event.preventDefault();
  sent = true;
});
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) begin(); });
begin();
