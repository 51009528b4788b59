// The connectors' order: dragged by a handle, or by a number that is written and sent with Enter.

/** Makes the list on the page one that can be dragged. */
export function order() {
  const list = document.querySelector("[data-order]");
  if (!list) return;
  for (const item of list.children) {
    const place = item.querySelector("[data-place]");
    place.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      send(item, place.value);
    });
    place.addEventListener("focus", () => place.select());
    const handle = item.querySelector("[data-handle]");
    handle.hidden = false;
    handle.addEventListener("pointerdown", (event) => drag(list, item, handle, event));
  }
}

/** Has the server move it there: the page comes back with the new order. */
function send(item, number) {
  item.querySelector("[data-place]").value = number;
  item.querySelector('button[value$=":to"]').click();
}

function drag(list, item, handle, down) {
  if (down.button !== 0) return;
  down.preventDefault();
  handle.setPointerCapture(down.pointerId);
  const before = [...list.children];
  const listening = new window.AbortController();
  item.classList.add("dragged");

  // The neighbours move, not the item: what is taken out of the page, if only for a moment, loses its pointer.
  const move = ({ clientY }) => {
    scrollNear(clientY);
    for (let above; (above = item.previousElementSibling) && clientY < middle(above);) item.after(above);
    for (let below; (below = item.nextElementSibling) && clientY > middle(below);) item.before(below);
  };
  const stop = (dropped) => {
    listening.abort();
    item.classList.remove("dragged");
    if (!dropped) list.append(...before);
    const now = [...list.children].indexOf(item);
    if (now !== before.indexOf(item)) send(item, `${now + 1}`);
  };
  const { signal } = listening;
  handle.addEventListener("pointermove", move, { signal });
  handle.addEventListener("pointerup", () => stop(true), { signal });
  handle.addEventListener("pointercancel", () => stop(false), { signal });
  addEventListener("keydown", ({ key }) => { if (key === "Escape") stop(false); }, { signal });
}

const middle = (element) => {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
};

/** A long list goes on beyond the window. */
function scrollNear(y) {
  const edge = 60;
  if (y < edge) window.scrollBy(0, -16);
  else if (y > window.innerHeight - edge) window.scrollBy(0, 16);
}
