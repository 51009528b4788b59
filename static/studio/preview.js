// The preview beside the editor: it shows what the controls choose, and follows the field that is being edited.

const OFFLINE = "No connection, so there is no preview now. It comes back with the connection.";
const SIGNED_OUT = "You are signed out, so there is no preview. Sign in by a new link in another tab, then come back to this one.";

/** Why the server has no page there now, in words; empty where it has one. */
async function whyNot(url) {
  try {
    const { ok, status } = await fetch(url, { headers: { Accept: "text/html" } });
    if (ok) return "";
    return status === 401 ? SIGNED_OUT : `The preview cannot be made now (${status}). Press Show to try again.`;
  } catch {
    return OFFLINE;
  }
}

/** Furnishes the preview of the page, if it has one; `refresh` shows the draft anew. */
export function watchPreview() {
  const root = document.querySelector("[data-preview]");
  if (!root) return { refresh() {} };
  const form = root.querySelector("form");
  const frame = root.querySelector("iframe");
  const trouble = root.querySelector("[data-preview-trouble]");
  let shown = "", latest = 0;

  /** Asks first whether there is a preview: where there is none, browsers show a page of their own. */
  async function load(url) {
    const mine = ++latest;
    const words = await whyNot(url);
    if (mine !== latest) return;
    tell(words);
    // Not by `src`: each change would be a step back in the browser's history.
    if (!words) frame.contentWindow.location.replace(url);
  }

  function tell(words) {
    trouble.textContent = words;
    trouble.hidden = !words;
    frame.parentElement.hidden = Boolean(words);
    if (words) shown = "";
  }

  function show(again) {
    const chosen = new URLSearchParams(new FormData(form));
    chosen.delete("width");
    frame.style.colorScheme = chosen.get("scheme");
    const url = `${form.action}?${chosen}`;
    if (url === shown && !again) return;
    shown = url;
    void load(url);
  }

  function follow({ target }) {
    const field = target.closest?.("[data-field]");
    if (!field) return;
    const { scene, connector } = field.dataset;
    const choose = (name, value) => {
      const select = form.elements[name];
      if (value && [...select.options].some((option) => option.value === value)) select.value = value;
    };
    choose("scene", scene);
    choose("connector", connector);
    show(false);
  }

  // A link would lead the preview away; the page's policy keeps its forms.
  frame.addEventListener("load", () => {
    // The browser's own error page belongs to nobody.
    if (!frame.contentDocument) tell(OFFLINE);
    frame.contentDocument?.addEventListener("click", (event) => event.preventDefault());
  });
  form.addEventListener("change", () => show(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(true);
  });
  document.addEventListener("focusin", follow);
  for (const name of ["online", "focus"]) addEventListener(name, () => { if (!trouble.hidden) show(true); });
  show(true);
  return { refresh: () => show(true) };
}
