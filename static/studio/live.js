// Brings a page up to what the server draws now, without touching what its editor writes.

/** Changes the page, and keeps what the person is at where they see it: nothing that comes pushes it away. */
export function steadily(change) {
  const at = document.activeElement;
  const held = at && at !== document.body && at.checkVisibility?.() !== false ? at : null;
  const before = held?.getBoundingClientRect().top;
  change();
  if (held?.isConnected) window.scrollBy({ top: held.getBoundingClientRect().top - before, behavior: "instant" });
}

/** Replaces each part marked data-live by the same part of `fresh`, and marks the fields that have faults. */
export function redraw(fresh) {
  steadily(() => replace(fresh));
  document.dispatchEvent(new Event("studio:redrawn"));
}

function replace(fresh) {
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
    if (now?.placeholder !== undefined) control.placeholder = now.placeholder;
    if (now?.ariaInvalid === "true") control.ariaInvalid = "true";
    else control.removeAttribute("aria-invalid");
  }
}
