// The preview beside the editor: it shows what the controls choose, and follows the field that is being edited.

/** Furnishes the preview of the page, if it has one; `refresh` shows the draft anew. */
export function watchPreview() {
  const root = document.querySelector("[data-preview]");
  if (!root) return { refresh() {} };
  const form = root.querySelector("form");
  const frame = root.querySelector("iframe");
  let shown = "";

  function show(again) {
    const chosen = new URLSearchParams(new FormData(form));
    chosen.delete("width");
    frame.style.colorScheme = chosen.get("scheme");
    const url = `${form.action}?${chosen}`;
    if (url === shown && !again) return;
    shown = url;
    // Not by `src`: each change would be a step back in the browser's history.
    frame.contentWindow.location.replace(url);
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
    frame.contentDocument?.addEventListener("click", (event) => event.preventDefault());
  });
  form.addEventListener("change", () => show(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(true);
  });
  document.addEventListener("focusin", follow);
  show(true);
  return { refresh: () => show(true) };
}
