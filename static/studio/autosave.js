// Saves each field soon after it was changed. What was typed is never lost: it stays in its field until it is saved.
import { ask, drawAgain, send } from "./api.js";
import { read } from "./field.js";
import { redraw, steadily } from "./live.js";
import { say } from "./status.js";
import { bringBack, keep } from "./unsaved.js";

/** So long (milliseconds) a field is left alone before it is saved. */
const PAUSE = 400;
const LONGEST_WAIT = 15_000;
/** How often (milliseconds) a page that was signed out looks whether it is signed in again. */
const SIGNED_OUT = 3000;
/** How often (milliseconds) the other's text is read anew while two stand side by side. */
const LOOK = 1500;

/** Watches every field of the page; calls `saved` whenever the draft has changed. */
export function watchFields(saved) {
  const fields = [...document.querySelectorAll("[data-autosave] [data-field]")].map(read);
  let timer = 0, running = false, leaving = false, failures = 0, isKept = false;

  const dirty = () => fields.filter((field) => field.dirty);
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
      keep([]);
      saved();
      redraw(await drawAgain());
      tell(answer);
    } catch (error) {
      failures += 1;
      complain(error);
      for (const { field } of sent) field.refuse(error.faults?.[field.path] ?? []);
      // A sign-in may take this tab: what is here is typed again by nobody.
      if (!error.status || error.status === 401) isKept = keep(dirty().map(toKeep));
      if (error.status === 401) later(SIGNED_OUT);
      else if (!error.status || error.status >= 500) later(Math.min(1000 * 2 ** failures, LONGEST_WAIT));
    } finally {
      running = false;
    }
    if (failures === 0 && dirty().length > 0) later(PAUSE);
  }

  function settle(sent, { clashes, texts }) {
    for (const { field, now } of sent) {
      const clash = clashes.find(({ path }) => path === field.path);
      if (clash) field.show(clash);
      else field.settle(now, texts[field.path] ?? now);
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
  setInterval(() => readTheirs(fields), LOOK);
  for (const name of ["online", "focus"]) addEventListener(name, () => later(0));
  addEventListener("beforeunload", (event) => {
    if (!leaving && !isKept && dirty().length > 0) event.preventDefault();
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
  void bringBack(fields, tellOfKept).then(() => later(0));
}

const toKeep = (field) => ({ path: field.path, was: field.was.value, now: field.control.value, page: location.href });

/** Shows the other's text as it is now, wherever two stand side by side: whoever chooses has seen it. */
async function readTheirs(fields) {
  const met = fields.filter(({ clashes }) => clashes);
  if (met.length === 0 || document.hidden) return;
  try {
    const { texts } = await ask(`news?paths=${encodeURIComponent(met.map(({ path }) => path).join("\n"))}`);
    for (const field of met) {
      const { text, by } = texts[field.path];
      if (field.clashes && text !== field.was.value) field.show({ by, theirs: text });
    }
  } catch {
    // The next look may do better.
  }
}

function tellOfKept(count, met) {
  const line = document.createElement("p");
  const parts = [];
  if (count > 0) parts.push(`Saved: ${count} ${count === 1 ? "text" : "texts"} that you had typed before you were signed out.`);
  for (const { page } of met.slice(0, 1)) {
    const link = Object.assign(document.createElement("a"), { href: page, textContent: "Look at what is not saved yet" });
    parts.push(link);
  }
  line.append(...parts);
  steadily(() => document.getElementById("news").replaceChildren(line));
}

function complain(error) {
  if (error.status === 401) say("failed", "Not saved: you are signed out. Sign in by a new link, here or in another tab; your text is kept.");
  else if (error.status) say("failed", `Not saved: ${error.message || "the server refused it"}`);
  else say("failed", "Not saved: no connection. It is tried again.");
}
