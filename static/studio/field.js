// One field of the page: what its editor saw, what they want, and what somebody else wrote there meanwhile.
import { steadily } from "./live.js";

/** The field whose parts are in `root`. */
export function read(root) {
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
    /** What was sent last and is kept as `was`: the server may have cleaned it. */
    sent: undefined,
    get dirty() {
      return !field.clashes && field.control.value !== field.was.value && field.control.value !== field.sent;
    },
    /** It was saved: `kept` stands in the draft now. What is being typed in is left alone. */
    settle(now, kept) {
      field.was.value = kept;
      field.sent = now;
      if (field.control.value === now && document.activeElement !== field.control) field.tidy();
    },
    /** Shows the text as it was kept. */
    tidy() {
      if (field.clashes || field.control.value !== field.sent) return;
      field.control.value = field.was.value;
    },
    show({ by, theirs }) {
      steadily(() => {
        find("[data-clash-by]").textContent = by ?? "Somebody else";
        find("[data-clash-theirs]").textContent = theirs || "(no text)";
        field.was.value = theirs ?? "";
        field.clashes = true;
        box.hidden = false;
      });
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
  field.control.addEventListener("blur", () => field.tidy());
  return field;
}
