// Brings a page up to what the server draws now, without touching what its editor writes.

/** Replaces each part marked data-live by the same part of `fresh`, and marks the fields that have faults. */
export function redraw(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(old.id);
    if (!now || now.isEqualNode(old)) continue;
    const opened = [...old.querySelectorAll("details")].map(({ open }) => open);
    const parts = [...document.importNode(now, true).childNodes];
    old.replaceChildren(...parts);
    old.querySelectorAll("details").forEach((details, place) => { details.open = opened[place] ?? false; });
  }
  for (const control of document.querySelectorAll('[name="now"]')) {
    const now = fresh.getElementById(control.id);
    if (now?.ariaInvalid === "true") control.ariaInvalid = "true";
    else control.removeAttribute("aria-invalid");
  }
  document.dispatchEvent(new Event("studio:redrawn"));
}
