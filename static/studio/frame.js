// Inside the preview: drives the real widget to one of its states, and sees to it that nothing real happens.
const ask = window.fetch.bind(window);

/** So long (milliseconds) the widget may take from its words' arrival to having put them in place. */
const SETTLED = 60;

/** The widget reads its words; an attempt is never begun. */
window.fetch = async (resource, options) => {
  if ((options?.method ?? "GET") !== "GET") throw new TypeError("the preview begins nothing");
  const response = await ask(resource, options);
  if (String(resource).includes("/v1/config")) {
    response.clone().json().then(() => setTimeout(drive, SETTLED), () => undefined);
  }
  return response;
};
window.open = () => null;
for (const name of ["click", "pointerdown", "pointerover", "pointerenter", "focusin", "focus"]) {
  window.addEventListener(name, (event) => {
    if (name === "click") event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}

function drive() {
  const { step, code, title, nextStep, supportCode } = document.body.dataset;
  for (const element of document.querySelectorAll("hitchpost-connect")) {
    const fire = (name, detail) => element.dispatchEvent(new CustomEvent(`hitchpost:${name}`, { detail }));
    if (step) fire("step", { step });
    else if (code === "connected") fire("connected", {});
    else if (code) fire("failed", { code, title, nextStep, supportCode, attempt: "att_preview" });
  }
  document.documentElement.dataset.shown = document.documentElement.dataset.scene;
}
