// The page to try the draft on: it listens as a host's page does, and shows what it hears.
const outcome = document.getElementById("outcome");
const message = document.getElementById("message");
const result = document.getElementById("result");
const same = document.getElementById("same");
const expected = document.getElementById("expected");

function show(word, detail) {
  outcome.textContent = word;
  outcome.dataset.outcome = word;
  result.textContent = JSON.stringify(detail, null, 2);
}

document.addEventListener("hitchpost:step", ({ detail }) => {
  if (detail.step !== "prepared") show(`${detail.step}…`, detail);
});
document.addEventListener("hitchpost:failed", ({ detail }) => {
  show(detail.code, detail);
  same.textContent = "";
});
document.addEventListener("hitchpost:connected", ({ detail }) => {
  show("connected", detail);
  message.textContent = detail.message;
  const wanted = expected?.textContent.replaceAll("{attempt}", detail.attempt);
  const is = detail.message === wanted;
  same.className = is ? "same" : "other";
  same.textContent = is ? "The same as the preview says." : "Not what the preview says: was the draft changed meanwhile? Load this page again.";
});
