// Sends the form without leaving the page: what was typed stays where it is, whatever the answer. The server never
// gives it back.
const { origin, attempt, lost } = document.body.dataset;
const form = document.querySelector("form");
const submit = form.querySelector("[type=submit]");
const whole = document.getElementById("whole");
const checking = document.getElementById("checking");
let sending = false;
let unanswered = false;

submit.disabled = false;
const inputs = [...form.querySelectorAll("input[type=text], select")];
const first = form.querySelector("[aria-invalid=true]") ?? inputs.find((input) => !input.value) ?? inputs[0] ?? submit;
first.focus();
first.select?.(); // What was typed before may be what was wrong: typing replaces it.

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void send({});
});
form.querySelector("[data-cancel]").addEventListener("click", () => { void send({ action: "cancel" }); });
document.querySelector("[data-close]").addEventListener("click", () => window.close());
// Back from the sign-in, to this page as it was left: its token was used.
window.addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });

for (const button of form.querySelectorAll("[data-show]")) {
  const input = document.getElementById(button.dataset.show);
  const label = button.textContent;
  button.addEventListener("click", () => {
    const hidden = input.classList.toggle("secret");
    button.textContent = hidden ? label : button.dataset.hide;
  });
}

async function send(more) {
  // A second press would send the same showing again, which is refused.
  if (sending) return;
  busy(true);
  let answer = await post(more);
  if (answer.again && unanswered) {
    // The submission before it arrived, and only its answer was lost. Without this a third press would be needed.
    form.elements.form_token.value = answer.token;
    answer = await post(more);
  }
  unanswered = !(answer.go || answer.end || answer.token);
  take(answer);
}

async function post(more) {
  const body = new URLSearchParams([...new FormData(form), ...Object.entries(more)]);
  try {
    const response = await fetch(location.pathname, { method: "POST", body, redirect: "error" });
    return await response.json();
  } catch {
    return { faults: {}, whole: lost };
  }
}

function take({ go, end, return_url, faults = {}, whole: text = lost, token }) {
  if (go) {
    location.assign(go); // Still busy: the next page is on its way.
    return;
  }
  busy(false);
  if (end) {
    finish(end, return_url);
    return;
  }
  if (token) form.elements.form_token.value = token;
  whole.textContent = text;
  for (const fault of form.querySelectorAll(".fault[id$=-fault]")) {
    const name = fault.id.replace("-fault", "");
    const said = faults[name] ?? "";
    fault.textContent = said;
    fault.hidden = !said;
    form.elements[name].setAttribute("aria-invalid", String(!!said));
  }
  (form.querySelector("[aria-invalid=true]") ?? submit).focus();
}

function busy(now) {
  sending = now;
  checking.hidden = !now;
  submit.ariaBusy = String(now);
}

/** The attempt is over: whoever opened this window reads how, and the window goes. */
function finish({ title, next_step }, url) {
  form.reset();
  for (const input of form.querySelectorAll("input")) input.value = "";
  window.opener?.postMessage({ type: "hitchpost.returned", attempt }, origin);
  if (url) {
    location.replace(url);
    return;
  }
  const ended = document.getElementById("ended");
  ended.querySelector("h1").textContent = title;
  ended.querySelector("p").textContent = next_step;
  document.getElementById("asking").hidden = true;
  ended.hidden = false;
  window.close();
}
