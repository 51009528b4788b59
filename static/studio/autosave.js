// Saves each field soon after it was changed. What was typed is never lost: it stays in its field until it is saved.
import { drawAgain, send } from "./api.js";
import { redraw } from "./live.js";
import { say } from "./status.js";

/** So long (milliseconds) a field is left alone before it is saved. */
const PAUSE = 400;
const LONGEST_WAIT = 15_000;

/** Watches every field of the page; calls `saved` whenever the draft has changed. */
export function watchFields(saved) {
  const fields = [...document.querySelectorAll("[data-autosave] [data-field]")].map(read);
  if (fields.length === 0) return;
  let timer = 0, running = false, leaving = false, failures = 0;

  const dirty = () => fields.filter((field) => !field.clashes && field.control.value !== field.was.value);
  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  };

  async function save() {
    if (running || leaving) return;
    const sent = dirty().map((field) => ({ field, now: field.control.value }));
    if (sent.length === 0) return;
    running = true;
    say("saving");
    try {
      const edits = sent.map(({ field, now }) => ({ path: field.path, was: field.was.value, now }));
      const answer = await send("save", { edits });
      failures = 0;
      settle(sent, answer);
      saved();
      redraw(await drawAgain());
      tell(answer);
    } catch (error) {
      failures += 1;
      complain(error);
      for (const { field } of sent) field.refuse(error.faults?.[field.path] ?? []);
      if (!error.status || error.status >= 500) later(Math.min(1000 * 2 ** failures, LONGEST_WAIT));
    } finally {
      running = false;
    }
    if (failures === 0 && dirty().length > 0) later(PAUSE);
  }

  function settle(sent, { clashes }) {
    for (const { field, now } of sent) {
      const clash = clashes.find(({ path }) => path === field.path);
      if (clash) field.show(clash);
      else field.was.value = now;
    }
  }

  function tell({ faults, clashes }) {
    const here = fields.filter(({ path }) => faults[path]).length;
    if (clashes.length > 0) say("failed", "Not saved: somebody else changed the same text. Choose which to keep.");
    else say("saved", here ? `Saved, with ${here} ${here === 1 ? "fault" : "faults"} to mend before publishing` : "Saved");
  }

  for (const field of fields) {
    field.control.addEventListener("input", () => {
      say("typing");
      later(PAUSE);
    });
    field.control.addEventListener("change", () => later(0));
    field.keep.addEventListener("click", (event) => {
      event.preventDefault();
      field.hide();
      later(0);
    });
    field.take.addEventListener("click", (event) => {
      event.preventDefault();
      field.control.value = field.was.value;
      field.hide();
      field.control.dispatchEvent(new Event("change", { bubbles: true }));
      say("saved", "Theirs is kept");
    });
  }
  addEventListener("online", () => later(0));
  addEventListener("beforeunload", (event) => {
    if (!leaving && dirty().length > 0) event.preventDefault();
  });
  // A form that is sent by one of its own buttons carries its fields with it.
  for (const form of document.querySelectorAll("[data-autosave]")) {
    form.addEventListener("submit", () => {
      clearTimeout(timer);
      leaving = true;
    });
  }
  addEventListener("keydown", (event) => {
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      later(0);
    }
  });
}

function complain(error) {
  if (error.status === 401) say("failed", "Not saved: you are signed out. Sign in by a new link in another tab; your text waits here.");
  else if (error.status) say("failed", `Not saved: ${error.message || "the server refused it"}`);
  else say("failed", "Not saved: no connection. It is tried again.");
}

function read(root) {
  const find = (selector) => root.querySelector(selector);
  const box = find("[data-clash]");
  const field = {
    root,
    path: root.dataset.path,
    was: find('[name="was"]'),
    control: find('[name="now"]'),
    keep: find("[data-keep]"),
    take: find("[data-take]"),
    clashes: !box.hidden,
    show(clash) {
      find("[data-clash-by]").textContent = clash.by ?? "Somebody else";
      find("[data-clash-theirs]").textContent = clash.theirs ?? "(no text)";
      field.was.value = clash.theirs ?? "";
      field.clashes = true;
      box.hidden = false;
    },
    refuse(said) {
      if (said.length === 0) return;
      const lines = said.map((text) => Object.assign(document.createElement("p"), { textContent: `Not saved: ${text}` }));
      document.getElementById(`${field.control.id}-faults`).replaceChildren(...lines);
      field.control.setAttribute("aria-invalid", "true");
    },
    hide() {
      field.clashes = false;
      box.hidden = true;
      field.control.focus();
    },
  };
  return field;
}
