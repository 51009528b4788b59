// What was typed and could not be saved (the session had ended, or there was no connection): kept in this tab, through
// a new sign-in too, and saved as soon as that is possible.
import { send } from "./api.js";

const { product, me } = document.body.dataset;
const PLACE = `hitchpost.studio.unsaved ${product} ${me}`;

/** The edits that are kept: each with its path, what was, what is now, and the page it was typed on. */
export function kept() {
  try {
    return JSON.parse(window.sessionStorage.getItem(PLACE)) ?? [];
  } catch {
    return [];
  }
}

/** Keeps these edits; none forgets them all. Whether they are kept: a browser may have no room for it. */
export function keep(edits) {
  try {
    if (edits.length > 0) window.sessionStorage.setItem(PLACE, JSON.stringify(edits));
    else window.sessionStorage.removeItem(PLACE);
    return true;
  } catch {
    return false;
  }
}

/** Puts what is kept into its fields; what belongs to other pages is saved at once. Tells what became of it. */
export async function bringBack(fields, tell) {
  const edits = kept();
  const elsewhere = edits.filter(({ path }) => !fields.some((field) => field.path === path));
  for (const field of fields) {
    const edit = edits.find(({ path }) => path === field.path);
    if (!edit || field.clashes) continue;
    field.was.value = edit.was;
    field.control.value = edit.now;
  }
  if (elsewhere.length === 0) return;
  try {
    const { clashes } = await send("save", { edits: elsewhere.map(({ path, was, now }) => ({ path, was, now })) });
    const met = elsewhere.filter(({ path }) => clashes.some((clash) => clash.path === path));
    keep([...kept().filter((edit) => !elsewhere.some(({ path }) => path === edit.path)), ...met]);
    tell(elsewhere.length - met.length, met);
  } catch (error) {
    if (error.status && error.status !== 401 && error.status < 500) tell(0, elsewhere);
  }
}
