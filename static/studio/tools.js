// Small tools: variables to insert, the filter of words, colours to pick, texts to copy, times as they are here.

/** Furnishes what is on the page. */
export function furnish() {
  for (const item of document.querySelectorAll("[data-with-script]")) item.hidden = false;
  for (const item of document.querySelectorAll("[data-without-script]")) item.hidden = true;
  chips();
  filter();
  copies();
  uses();
  times();
  for (const text of document.querySelectorAll(".colour input[type=text]")) pick(text);
  document.addEventListener("studio:redrawn", () => { uses(); times(); });
  // "Saved" is said once: a page that is loaded again has saved nothing.
  if (document.querySelector("[data-flash]")) {
    const url = new URL(location.href);
    for (const name of ["saved", "moved", "way", "published", "rebased", "undone", "discarded"]) url.searchParams.delete(name);
    history.replaceState(null, "", url);
  }
}

function chips() {
  let last = document.querySelector("textarea[name=now]");
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches("textarea[name=now]")) last = target;
  });
  for (const code of document.querySelectorAll("[data-chip]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = code.dataset.chip;
    button.ariaLabel = `Insert ${code.dataset.chip}`;
    button.addEventListener("click", () => {
      last.focus();
      last.setRangeText(code.dataset.chip, last.selectionStart, last.selectionEnd, "end");
      last.dispatchEvent(new Event("input", { bubbles: true }));
    });
    code.replaceWith(button);
  }
}

function filter() {
  const box = document.querySelector("[data-filter]");
  if (!box) return;
  const told = document.querySelector("[data-filter-told]");
  const groups = [...document.querySelectorAll("[data-group]")];
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLowerCase();
    let count = 0;
    for (const group of groups) {
      const fields = [...group.querySelectorAll("[data-field]")];
      for (const field of fields) {
        const control = field.querySelector("[name=now]");
        const text = `${field.dataset.path} ${field.textContent} ${control.value}`.toLowerCase();
        field.hidden = !text.includes(wanted);
        if (!field.hidden) count += 1;
      }
      group.hidden = fields.every((field) => field.hidden);
    }
    told.textContent = wanted ? `${count} ${count === 1 ? "text" : "texts"}` : "";
  });
  // Enter in the filter is not meant to save.
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

function copies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const told = document.querySelector("[data-copied]");
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        told.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        told.textContent = "Selected: copy it with your browser";
      }
    });
  }
}

function uses() {
  for (const button of document.querySelectorAll("[data-use]:not([data-ready])")) {
    button.dataset.ready = "";
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const control = document.getElementById(button.dataset.use);
      control.value = button.dataset.colour;
      control.focus();
      control.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

function times() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const words = new Date(time.dateTime).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
    if (time.textContent !== words) time.textContent = words;
  }
}

function pick(text) {
  const picker = document.createElement("input");
  picker.type = "color";
  picker.ariaLabel = `Pick: ${text.labels[0].textContent}`;
  text.nextElementSibling.replaceWith(picker);
  const follow = () => {
    const colour = text.value || text.placeholder;
    const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(colour);
    const whole = short ? `#${short.slice(1).map((digit) => digit + digit).join("")}` : colour;
    if (/^#[0-9a-f]{6}$/i.test(whole)) picker.value = whole;
  };
  text.addEventListener("input", follow);
  text.addEventListener("change", follow);
  picker.addEventListener("input", () => {
    text.value = picker.value;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  follow();
}
