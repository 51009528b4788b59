// The line that says whether everything is saved.
import { steadily } from "./live.js";

const line = document.getElementById("saved");
const WORDS = { typing: "", saving: "Saving…", saved: "Saved" };

/** Shows how it stands: typing, saving, saved or failed. Screen readers hear only what has ended. */
export function say(state, words = WORDS[state]) {
  line.dataset.state = state;
  // Hearing "Saving…" after each word would be a nuisance.
  line.ariaLive = state === "saving" ? "off" : "polite";
  // A long line makes the bar above the page taller.
  if (line.textContent !== words) steadily(() => { line.textContent = words; });
}
