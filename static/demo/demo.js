// The host page's own code: it listens to the widget's events and shows what it hears.
const status = document.getElementById("status");
const list = document.getElementById("event-list");
const result = document.getElementById("result");

// For programs that look on: each event with the moment at which the page heard it.
const heard = (globalThis.heard = []);

function note(name, detail) {
  heard.push({ name, detail, at: Date.now() });
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString([], { hour12: false });
  const text = document.createElement("span");
  text.textContent = `${name} ${detail.step ?? detail.code ?? detail.connector ?? ""}`;
  item.append(time, text);
  reveal(list, "no-events");
  list.append(item);
  list.scrollTop = list.scrollHeight;
}

function reveal(box, none) {
  box.hidden = false;
  document.getElementById(none).hidden = true;
}

// Each rehearsal begins anew: a flow that the one before left unfinished in this tab would go on in the next.
for (const [kind, name] of [["form", "submit"], ["a", "click"]]) {
  for (const way of document.querySelectorAll(`${kind}[data-leave]`)) way.addEventListener(name, () => window.sessionStorage.clear());
}

function show(word, detail) {
  status.textContent = word;
  status.dataset.outcome = word;
  reveal(result, "no-result");
  result.textContent = JSON.stringify(detail, null, 2);
}

// Stands in for a popup blocker that never lets go.
if (document.body.dataset.blocks !== undefined) window.open = () => null;

document.querySelector("[data-control]")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = event.target.querySelector("[data-told]");
  const response = await fetch("/control", { method: "POST", body: new FormData(event.target) });
  told.textContent = response.ok ? "Done." : "That did not work.";
});

if (list) {
  document.addEventListener("hitchpost:step", (event) => note("hitchpost:step", event.detail));
  document.addEventListener("hitchpost:connected", (event) => {
    note("hitchpost:connected", event.detail);
    show("connected", event.detail);
  });
  document.addEventListener("hitchpost:failed", (event) => {
    note("hitchpost:failed", event.detail);
    show(event.detail.code, event.detail);
  });
  const copy = document.getElementById("copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("snippet").textContent);
    copy.textContent = "Copied";
  });
}
